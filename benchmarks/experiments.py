"""An experiment of 1,000 x 300 tasks on a server, and a simple query meanwhile (goal: p99 below 50 ms)."""

import time
from typing import Any

import httpx

from benchmarks.server import TEXT, Served, ms, percentile, print_row, served

REPLICATIONS = 1_000
TASKS = 300
ASKED = 300
PAUSE_S = 0.01
QUERY = "{ simulations(first: 5) { nodes { id status } } }"
SIMULATE = """mutation ($text: String!) { simulate(input: {scenario: {text: $text}}) {
  simulation { architecture { id } } } }"""
RUN = """mutation ($id: ID!, $replications: Int!, $tasks: Int!, $seed: Int!) {
  runExperiment(input: {
    architectureId: $id, replications: $replications, tasks: $tasks, arrivalRate: 0.002, seed: $seed
  }) { experiment { id } } }"""
LOOK = "query ($id: ID!) { experiment(id: $id) { status progress result { steps successRate { mean low high } } } }"


def main() -> None:
    """The query alone, then beside two experiments: during the first one the kernel is being made ready."""
    with served() as server, httpx.Client() as client:
        architecture = ask(client, server, SIMULATE, text=TEXT)["simulate"]["simulation"]["architecture"]["id"]
        alone = [timed(client, server) for _ in range(ASKED)]
        print_row("simple query, alone", f"p50 {ms(percentile(alone, 0.5))}", f"p99 {ms(percentile(alone, 0.99))}")
        for number in (1, 2):
            beside(client, server, architecture, number)


def beside(client: httpx.Client, server: Served, architecture: str, number: int) -> None:
    """The query until the experiment is over."""
    begin = time.perf_counter()
    given = {"id": architecture, "replications": REPLICATIONS, "tasks": TASKS, "seed": number}
    experiment = ask(client, server, RUN, **given)["runExperiment"]["experiment"]["id"]
    delays: list[float] = []
    while True:
        found = ask(client, server, LOOK, id=experiment)["experiment"]
        if found["status"] not in {"QUEUED", "RUNNING"}:
            break
        delays += [timed(client, server) for _ in range(10)]
    took = time.perf_counter() - begin
    assert found["status"] == "SUCCEEDED"
    print_row(
        f"experiment {number}, {REPLICATIONS:,} x {TASKS} tasks",
        f"{took:.1f} s",
        f"{found['result']['steps'] / took:,.0f} steps/s",
    )
    figures = (f"p50 {ms(percentile(delays, 0.5))}", f"p99 {ms(percentile(delays, 0.99))}")
    print_row("simple query, beside it", *figures, f"of {len(delays):,}")


def timed(client: httpx.Client, server: Served) -> float:
    """How long the query takes, in seconds."""
    time.sleep(PAUSE_S)
    begin = time.perf_counter()
    ask(client, server, QUERY)
    return time.perf_counter() - begin


def ask(client: httpx.Client, server: Served, document: str, **variables: object) -> Any:
    """The data of an operation that must succeed."""
    answer = client.post(f"{server.url}/graphql", json={"query": document, "variables": variables}, timeout=120).json()
    assert "errors" not in answer, answer
    return answer["data"]


if __name__ == "__main__":
    main()
