"""Lists: walked page by page in both directions, filtered, searched; and what cannot be asked for."""

from typing import Any

from schema.ids import Kind, encode
from tests.graphql.world import Client, told
from tests.storage import worlds

PAGE = (
    "{ nodes { id } edges { cursor node { id } } totalCount"
    " pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
)


async def _scenarios(client: Client, count: int) -> list[str]:
    """So many scenarios, the newest first."""
    made = [
        await worlds.scenario(client.services.store, client.signed_in, f"Scenario number {number}.", age_s=number)
        for number in range(count)
    ]
    return [encode(Kind.SCENARIO, scenario.id) for scenario in made]


async def _page(client: Client, arguments: str, variables: dict[str, Any] | None = None) -> Any:
    declared = "query($c: String) " if "$c" in arguments else ""
    return (await client.get(f"{declared}{{ scenarios({arguments}) {PAGE} }}", variables))["scenarios"]


async def test_a_list_is_walked_forward(client: Client) -> None:
    wanted = await _scenarios(client, 5)
    seen: list[str] = []
    cursor = None
    for pages in range(3):
        page = await _page(client, "first: 2, after: $c", {"c": cursor})
        seen += [node["id"] for node in page["nodes"]]
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        assert page["totalCount"] == 5
        info = page["pageInfo"]
        assert (info["hasPreviousPage"], info["hasNextPage"]) == (pages > 0, pages < 2)
        assert (info["startCursor"], info["endCursor"]) == (page["edges"][0]["cursor"], page["edges"][-1]["cursor"])
        cursor = info["endCursor"]
    assert seen == wanted


async def test_a_list_is_walked_backward(client: Client) -> None:
    wanted = await _scenarios(client, 5)
    seen: list[str] = []
    cursor = None
    for pages in range(3):
        page = await _page(client, "last: 2, before: $c", {"c": cursor})
        seen = [node["id"] for node in page["nodes"]] + seen
        assert (page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]) == (pages < 2, pages > 0)
        cursor = page["pageInfo"]["startCursor"]
    assert seen == wanted


async def test_an_empty_list_has_no_cursors(client: Client) -> None:
    assert await _page(client, "first: 2") == {
        "nodes": [],
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
        "totalCount": 0,
    }


async def test_scenarios_are_searched_in_any_letter_case(client: Client) -> None:
    wanted = await _scenarios(client, 3)
    page = await _page(client, 'search: "NUMBER 1"')
    assert ([node["id"] for node in page["nodes"]], page["totalCount"]) == ([wanted[1]], 1)
    assert (await _page(client, 'search: ""'))["totalCount"] == 3
    assert (await _page(client, "search: null"))["totalCount"] == 3
    assert (await _page(client, 'search: "%"'))["totalCount"] == 0


async def test_a_scenario_lists_its_simulations(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    full, empty = await worlds.scenario(store, viewer), await worlds.scenario(store, viewer)
    made = [await worlds.planning(store, viewer, full.id) for _ in range(3)]
    data = await client.get(
        f"query($full: ID!, $empty: ID!) {{ full: scenario(id: $full) {{ simulations(first: 2) {PAGE} }}"
        f" empty: scenario(id: $empty) {{ simulations {PAGE} }} }}",
        {"full": encode(Kind.SCENARIO, full.id), "empty": encode(Kind.SCENARIO, empty.id)},
    )
    page = data["full"]["simulations"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"], len(page["nodes"])) == (3, True, 2)
    rest = await client.get(
        f"query($id: ID!, $after: String) {{ scenario(id: $id) {{ simulations(after: $after) {PAGE} }} }}",
        {"id": encode(Kind.SCENARIO, full.id), "after": page["pageInfo"]["endCursor"]},
    )
    last = rest["scenario"]["simulations"]
    assert (last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert {node["id"] for node in page["nodes"] + last["nodes"]} == {
        encode(Kind.SIMULATION, simulation.id) for simulation in made
    }
    assert (data["empty"]["simulations"]["nodes"], data["empty"]["simulations"]["totalCount"]) == ([], 0)


async def test_simulations_are_filtered(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    scenario = await worlds.scenario(store, viewer)
    waiting = await worlds.planning(store, viewer, scenario.id)
    done = await told(store, viewer)
    shown = {encode(Kind.SIMULATION, waiting.id): "waiting", encode(Kind.SIMULATION, done.id): "done"}
    unknown = encode(Kind.SCENARIO, "01938f2c-7b1e-7abc-8def-0123456789ab")
    for conditions, wanted in (
        ({}, {"waiting", "done"}),
        ({"statuses": ["SUCCEEDED"]}, {"done"}),
        ({"statuses": ["PLANNING", "QUEUED"]}, {"waiting"}),
        ({"statuses": []}, set()),
        ({"statuses": None}, {"waiting", "done"}),
        ({"scenarioId": encode(Kind.SCENARIO, scenario.id)}, {"waiting"}),
        ({"scenarioId": encode(Kind.SCENARIO, scenario.id), "statuses": ["SUCCEEDED"]}, set()),
        ({"scenarioId": unknown}, set()),
        ({"scenarioId": "nonsense"}, set()),
        ({"scenarioId": "\ud800"}, set()),
        ({"scenarioId": encode(Kind.SIMULATION, waiting.id)}, set()),
        ({"environmentId": "anything"}, set()),
        ({"createdAfter": "2020-01-01T00:00:00Z"}, {"waiting", "done"}),
        ({"createdBefore": "2020-01-01T00:00:00+01:00"}, set()),
        ({"createdAfter": "9999-12-31T23:59:59Z"}, set()),
        ({"createdAfter": "0001-01-01T00:00:00Z"}, {"waiting", "done"}),
    ):
        data = await client.get(
            "query($f: SimulationFilter) { simulations(filter: $f) { nodes { id } totalCount } }", {"f": conditions}
        )
        found = {shown[node["id"]] for node in data["simulations"]["nodes"]}
        assert (found, data["simulations"]["totalCount"]) == (wanted, len(wanted)), conditions


NO_PAGES = [
    "first: 0",
    "first: 101",
    "first: -1",
    "last: 0",
    "last: 101",
    "first: 1, last: 1",
    'first: 1, before: "x"',
    'last: 1, after: "x"',
    'after: "nonsense"',
    'before: "YXJyYXljb25uZWN0aW9uOjA="',
    'after: ""',
    'after: "\\u0000"',
    "first: 3000000000",
    'first: "1"',
]


async def test_a_page_that_cannot_be_is_refused(client: Client) -> None:
    for field in ("scenarios", "simulations"):
        for arguments in NO_PAGES:
            answer = await client.ask(f"{{ {field}({arguments}) {{ totalCount }} }}")
            assert (answer.data, answer.codes) == (None, ["BAD_USER_INPUT"]), arguments


async def test_a_search_that_cannot_be_stored_is_refused(client: Client) -> None:
    for search in ("x" * 201, "a\0b", "\ud800"):
        answer = await client.ask("query($s: String) { scenarios(search: $s) { totalCount } }", {"s": search})
        assert (answer.data, answer.codes) == (None, ["BAD_USER_INPUT"])
