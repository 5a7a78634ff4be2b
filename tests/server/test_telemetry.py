"""The doors for telemetry through real HTTP: a run's OTLP out, recorded traces in, and what is refused."""

import gzip
import json
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.processes import Api
from tests.telemetry.collectors import collecting
from tests.telemetry.reading import read
from tests.telemetry.spans import called, lines, otlp

SCENARIO = "Customers write to our support. Sort each message by topic, look up the order and draft an answer."
FINISHED = """mutation ($text: String!) {
  simulate(input: {scenario: {text: $text}, seed: 7, waitFor: FINISHED}) {
    simulation { id architecture { id tools { key name } } } errors { message } } }"""
EXPORT = """mutation ($id: ID!) { exportTelemetry(input: {simulationId: $id}) {
  sent { spans metrics logRecords rejected simulation { id } } errors { code message } } }"""


def ask(client: httpx.Client, query: str, **variables: Any) -> Any:
    answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.fixture(scope="module")
def simulation(product: Api) -> dict[str, Any]:
    with httpx.Client(base_url=product.url, timeout=60) as client:
        found: dict[str, Any] = ask(client, FINISHED, text=SCENARIO)["simulate"]["simulation"]
        return found


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_a_run_is_read_as_json_lines_or_protobuf(rest: httpx.Client, simulation: dict[str, Any]) -> None:
    url = f"/simulations/{simulation['id']}/telemetry"
    everything = rest.get(url)
    assert everything.headers["content-type"] == "application/x-ndjson"
    assert everything.headers["content-disposition"] == 'attachment; filename="telemetry.jsonl"'
    keys = [next(iter(json.loads(line))) for line in everything.text.splitlines()]
    assert keys == ["resourceSpans", "resourceMetrics", "resourceLogs"]
    traces = rest.get(url, params={"signal": "traces"})
    assert traces.text == everything.text.splitlines(keepends=True)[0]
    message = rest.get(url, params={"signal": "traces"}, headers={"Accept": "application/x-protobuf"})
    decoded = ExportTraceServiceRequest.FromString(message.content)
    assert read(decoded.resource_spans[0].resource.attributes)["windtunnel.simulation.id"] == simulation["id"]
    spans = json.loads(traces.text)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert [span.span_id.hex() for span in decoded.resource_spans[0].scope_spans[0].spans] == [
        span["spanId"] for span in spans
    ]
    shown = ask(
        rest, "query ($id: ID!) { simulation(id: $id) { observability { traces { spanId } } } }", id=simulation["id"]
    )
    assert {span["spanId"] for span in spans} == {
        span["spanId"] for span in shown["simulation"]["observability"]["traces"]
    }


def test_what_cannot_be_read_is_refused(rest: httpx.Client, simulation: dict[str, Any]) -> None:
    url = f"/simulations/{simulation['id']}/telemetry"
    assert refusal(rest.get(url, params={"signal": "profiles"})) == (400, "BAD_USER_INPUT")
    assert refusal(rest.get(url, headers={"Accept": "application/x-protobuf"})) == (400, "BAD_USER_INPUT")
    assert refusal(rest.get("/simulations/nonsense/telemetry")) == (404, "NOT_FOUND")
    assert refusal(rest.get(url, headers={"Authorization": "Bearer wrong"})) == (401, "UNAUTHENTICATED")
    assert rest.post(url).status_code == 405


def test_without_a_collector_nothing_is_sent_whatever_is_asked(rest: httpx.Client, simulation: dict[str, Any]) -> None:
    answer = ask(rest, EXPORT, id=simulation["id"])["exportTelemetry"]
    assert answer["sent"] is None
    assert answer["errors"][0]["code"] == "FEATURE_DISABLED"


def test_a_run_is_sent_to_the_collector_of_the_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = {"WINDTUNNEL_DATA_DIR": str(tmp_path_factory.mktemp("data")), "OTEL_EXPORTER_OTLP_HEADERS": "x-key=s"}
    with (
        collecting() as collector,
        Api(settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as api,
        httpx.Client(base_url=api.url, timeout=60) as client,
    ):
        made = ask(client, FINISHED, text=SCENARIO)["simulate"]["simulation"]
        answer = ask(client, EXPORT, id=made["id"])["exportTelemetry"]
    assert answer["errors"] == []
    assert answer["sent"]["simulation"] == {"id": made["id"]}
    assert answer["sent"]["spans"] == len(collector.traces[0].resource_spans[0].scope_spans[0].spans) > 0
    assert collector.headers[0]["x-key"] == "s"


def test_traces_make_a_calibrated_architecture(rest: httpx.Client, simulation: dict[str, Any]) -> None:
    architecture, tool = simulation["architecture"]["id"], simulation["architecture"]["tools"][0]
    traces = lines(otlp([called("lookup", ms=20 + number) for number in range(60)]))
    url = f"/architectures/{architecture}/calibration"
    asked: dict[str, Any] = {"params": {"match": f"lookup={tool['key']}"}, "content": gzip.compress(traces)}
    response = rest.post(url, **asked)
    assert response.status_code == 201
    answer = response.json()
    (finding,) = (each for each in answer["findings"] if each["latency"])
    assert (finding["key"], finding["latency"]["samples"], finding["latency"]["quality"]) == (tool["key"], 60, "GOOD")
    assert answer["spans"]["matched"] == 60
    query = """query ($id: ID!) { architecture(id: $id) { digest basedOn { id } changes
      calibrations { key source latency { distribution meanMs cv samples ksDistance quality outliers }
        failures { attempts failures probability low high } }
      failureModes { provenance targets { key } } } }"""
    shown = ask(rest, query, id=answer["architectureId"])["architecture"]
    assert shown["basedOn"] == {"id": architecture}
    assert shown["digest"] == answer["digest"]
    assert shown["changes"] == answer["changes"]
    (calibration,) = shown["calibrations"]
    assert calibration["latency"] == finding["latency"]
    assert calibration["failures"] == finding["failures"]
    assert "sha256" in calibration["source"]
    again = rest.post(url, **asked)
    assert again.json()["architectureId"] == answer["architectureId"]


def test_traces_that_cannot_be_used_are_refused(rest: httpx.Client, simulation: dict[str, Any]) -> None:
    url = f"/architectures/{simulation['architecture']['id']}/calibration"
    for content in (b"", b"hello", lines(otlp([called("lookup")])), b"\x00" * 100):
        response = rest.post(url, content=content)
        assert refusal(response) == (400, "BAD_USER_INPUT")
    assert "line 1" in rest.post(url, content=b"hello").json()["error"]["message"]
    traces = lines(otlp([called("lookup", ms=20 + number) for number in range(60)]))
    for match in ("lookup", "=x", "lookup="):
        assert refusal(rest.post(url, params={"match": match}, content=traces)) == (400, "BAD_USER_INPUT")
    assert refusal(rest.post(url, content=traces, headers={"Content-Encoding": "gzip"})) == (415, "BAD_USER_INPUT")
    assert refusal(rest.post(url, content=b" " * (16 * 1024 * 1024 + 1))) == (413, "LIMIT_EXCEEDED")
    assert refusal(rest.post("/architectures/nonsense/calibration", content=traces)) == (404, "NOT_FOUND")
    assert refusal(rest.post(url, content=traces, headers={"Authorization": "Bearer wrong"})) == (
        401, "UNAUTHENTICATED",
    )  # fmt: skip
    assert refusal(rest.post(url, content=traces, headers={"Origin": "https://evil.example"})) == (403, "FORBIDDEN")


def test_a_packed_bomb_is_refused(rest: httpx.Client, simulation: dict[str, Any]) -> None:
    url = f"/architectures/{simulation['architecture']['id']}/calibration"
    bomb = gzip.compress(b"\n" + b"{}\n" * (100 * 1024 * 1024), 1)
    response = rest.post(url, content=bomb)
    assert refusal(response) == (400, "BAD_USER_INPUT")
