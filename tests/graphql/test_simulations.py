"""What happened in a simulation, as clients read it."""

from typing import Any

from tests.examples import support_triage
from tests.graphql.world import Client, simulation_id, told
from windtunnel.domain.events import EventKind
from windtunnel.domain.failures import FailureMode
from windtunnel.domain.simulations import FailureInjection, Simulation
from windtunnel.knowledge import load_book
from windtunnel.planning import failure_mode_for
from windtunnel.storage import events


async def _told(client: Client, **how: Any) -> Simulation:
    return await told(client.services.store, client.signed_in, **how)


async def _ask(client: Client, simulation: Simulation, fields: str) -> Any:
    data = await client.get(
        f"query($id: ID!) {{ simulation(id: $id) {{ {fields} }} }}", {"id": simulation_id(simulation)}
    )
    return data["simulation"]


async def test_a_simulation_tells_how_it_went(client: Client) -> None:
    simulation = await _told(client)
    shown = await _ask(
        client,
        simulation,
        "id status seed plannerMode createdAt startedAt finishedAt duration lastSeq narrative packageDigest"
        " error { code } interpretation { goal actors confidence } scenario { id } createdBy { name email }",
    )
    assert shown["id"] == simulation_id(simulation)
    assert (shown["status"], shown["seed"], shown["plannerMode"]) == ("SUCCEEDED", 7, "OFFLINE")
    assert shown["createdAt"] <= shown["startedAt"] <= shown["finishedAt"]
    assert shown["createdAt"].endswith("Z")
    assert shown["duration"].startswith("PT")
    assert shown["lastSeq"] == simulation.last_seq > 10
    assert shown["narrative"] == simulation.narrative
    assert (shown["error"], shown["packageDigest"], shown["scenario"]) == (None, None, None)
    assert shown["interpretation"] == {"goal": "Answer mail", "actors": ["customer"], "confidence": 0.8}
    assert shown["createdBy"] == {"name": "You", "email": "you@demo.local"}


async def test_events_are_read_page_by_page(client: Client) -> None:
    simulation = await _told(client)
    seen: list[int] = []
    after, more = 0, True
    while more:
        page = (
            await _ask(client, simulation, f"events(after: {after}, first: 37) {{ events {{ seq }} lastSeq hasMore }}")
        )["events"]
        assert len(page["events"]) == 37 or not page["hasMore"]
        seen += [event["seq"] for event in page["events"]]
        after, more = page["lastSeq"], page["hasMore"]
    assert seen == list(range(1, simulation.last_seq + 1))
    assert after == simulation.last_seq


async def test_a_filtered_page_says_how_far_it_has_read(client: Client) -> None:
    simulation = await _told(client)
    fields = "{ events { seq kind } lastSeq hasMore }"
    whole = (await _ask(client, simulation, f"events(kinds: [TOOL_USED]) {fields}"))["events"]
    assert {event["kind"] for event in whole["events"]} == {"TOOL_USED"}
    assert (whole["lastSeq"], whole["hasMore"]) == (simulation.last_seq, False)
    first = (await _ask(client, simulation, f"events(kinds: [TOOL_USED], first: 1) {fields}"))["events"]
    assert first == {"events": whole["events"][:1], "lastSeq": whole["events"][0]["seq"], "hasMore": True}
    rest = (await _ask(client, simulation, f"events(kinds: [TOOL_USED], after: {first['lastSeq']}) {fields}"))["events"]
    assert rest["events"] == whole["events"][1:]
    none = (await _ask(client, simulation, f"events(kinds: []) {fields}"))["events"]
    assert none == {"events": [], "lastSeq": simulation.last_seq, "hasMore": False}


async def test_events_show_what_the_log_keeps(client: Client) -> None:
    simulation = await _told(client)
    shown = await _ask(
        client,
        simulation,
        "events(first: 1000) { events { simulationId seq kind at elapsedMs agentKey message"
        " ... on DataFlowEvent { linkKey payload bytes } ... on ToolUsedEvent { toolKey input output latencyMs }"
        " ... on FailureEvent { failureKey code severity outcome detail } ... on NarrativeEvent { text } } }",
    )
    stored = await events.read(client.services.store, simulation.tenant_id, simulation.id, limit=1000)
    assert len(shown["events"]["events"]) == len(stored) == simulation.last_seq
    for event, kept in zip(shown["events"]["events"], stored, strict=True):
        assert (event["simulationId"], event["seq"], event["kind"]) == (simulation_id(simulation), kept.seq, kept.kind)
        assert (event["elapsedMs"], event["agentKey"], event["message"]) == (
            kept.elapsed_ms,
            kept.agent_key,
            kept.message,
        )
        if kept.kind is EventKind.DATA_FLOW:
            assert (event["linkKey"], event["payload"]) == (kept.body["link_key"], kept.body["payload"])
        if kept.kind is EventKind.TOOL_USED:
            assert (event["input"], event["output"]) == (kept.body["input"], kept.body["output"])
        if kept.kind in {EventKind.FAILURE_EVENT, EventKind.RECOVERY}:
            assert (event["failureKey"], event["outcome"]) == (kept.body["failure_key"], kept.body["outcome"])


def _unplanned() -> FailureMode:
    """A mode of the catalogue that the support triage does not expect."""
    book, architecture = load_book(), support_triage()
    planned = {mode.code for mode in architecture.failure_modes}
    code = next(code for code, entry in book.definitions.items() if {code, entry.canonical}.isdisjoint(planned))
    return failure_mode_for(book, code, architecture, None)


async def test_failure_modes_say_where_they_struck_and_how_it_ended(client: Client) -> None:
    mode = _unplanned()
    simulation = await _told(client, failures=FailureInjection.AUTO, listed=[mode])
    shown = (
        await _ask(client, simulation, "failureModes { key definition { code } targets { key } triggeredSeqs outcome }")
    )["failureModes"]
    stored = await events.read(client.services.store, simulation.tenant_id, simulation.id, limit=1000)
    told_events = [event for event in stored if event.kind in {EventKind.FAILURE_EVENT, EventKind.RECOVERY}]
    by_key = {one["key"]: one for one in shown}
    assert mode.key in by_key, "what was asked for is listed beside what was planned"
    assert len(by_key) == len(shown)
    assert {event.body["failure_key"] for event in told_events} <= set(by_key)
    for key, one in by_key.items():
        mine = [event for event in told_events if event.body["failure_key"] == key]
        assert one["triggeredSeqs"] == [event.seq for event in mine if event.body["outcome"] is None]
        outcomes = {event.body["outcome"] for event in mine} - {None}
        worst = next((bad for bad in ("UNRECOVERED", "DEGRADED", "RECOVERED") if bad in outcomes), None)
        assert one["outcome"] == worst
    assert by_key[mode.key]["triggeredSeqs"], "what was asked for struck"


async def test_telemetry_is_what_the_events_carry(client: Client) -> None:
    simulation = await _told(client)
    shown = (
        await _ask(
            client,
            simulation,
            "observability { logs(first: 1000, minLevel: DEBUG) { seq level message } warnings: logs(minLevel: WARN)"
            " { level } some: logs(first: 2) { seq } metrics { name unit points { value } }"
            ' one: metrics(names: ["gen_ai.client.operation.duration"]) { name } none: metrics(names: []) { name }'
            " traces { spanId parentSpanId startedAt status } summary { events toolCalls failures recovered tokens"
            " costUsd p50StepMs p95StepMs } }",
        )
    )["observability"]
    stored = await events.read(client.services.store, simulation.tenant_id, simulation.id, limit=1000)
    logs = [event for event in stored if event.kind is EventKind.OBSERVABILITY and event.body["signal"] == "LOG"]
    assert [log["seq"] for log in shown["logs"]] == [event.seq for event in logs]
    assert {log["level"] for log in shown["warnings"]} <= {"WARN", "ERROR"}
    assert len(shown["some"]) == 2
    assert shown["metrics"]
    assert {series["name"] for series in shown["one"]} <= {"gen_ai.client.operation.duration"}
    assert shown["none"] == []
    span_ids = [span["spanId"] for span in shown["traces"]]
    assert len(set(span_ids)) == len(span_ids)
    assert {span["parentSpanId"] for span in shown["traces"]} - {None} <= set(span_ids)
    assert [span["startedAt"] for span in shown["traces"]] == sorted(span["startedAt"] for span in shown["traces"])
    summary = shown["summary"]
    assert summary["events"] == simulation.last_seq
    assert summary["toolCalls"] == sum(event.kind is EventKind.TOOL_USED for event in stored)
    assert summary["failures"] == sum(event.kind is EventKind.FAILURE_EVENT for event in stored)
    assert summary["costUsd"] is None
    assert 0 <= summary["p50StepMs"] <= summary["p95StepMs"]


async def test_logs_are_read_on_after_a_sequence_number(client: Client) -> None:
    simulation = await _told(client)
    shown = await _ask(client, simulation, "observability { logs(first: 1000) { seq agentKey } }")
    whole = shown["observability"]["logs"]
    seq, agent = whole[1]["seq"], whole[1]["agentKey"]
    shown = (
        await _ask(
            client,
            simulation,
            f'observability {{ rest: logs(first: 1000, afterSeq: {seq}) {{ seq }} his: logs(agentKey: "{agent}")'
            " { agentKey } }",
        )
    )["observability"]
    assert [log["seq"] for log in shown["rest"]] == [log["seq"] for log in whole[2:]]
    assert {log["agentKey"] for log in shown["his"]} == {agent}
