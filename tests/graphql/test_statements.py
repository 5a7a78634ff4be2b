"""What queries cost the database: the number of statements does not grow with the number of things."""

from tests.graphql.world import Client, told
from tests.queries import counted
from tests.storage import worlds

LISTS = {
    "{ simulations { nodes { id scenario { id createdBy { name } } architecture { digest agents { key } }"
    " createdBy { name } interpretation { goal } } } }": 5,
    "{ simulations { nodes { events(first: 3) { events { seq } } } } }": 2,
    "{ simulations { nodes { failureModes { key triggeredSeqs } } } }": 5,
    "{ simulations { nodes { observability { logs(first: 5) { seq } } } } }": 2,
    "{ scenarios { nodes { id createdBy { id } simulations(first: 2) { totalCount nodes { id scenario { id }"
    " createdBy { id } } } } } }": 4,
    "{ scenarios { totalCount edges { cursor node { simulations { nodes { architecture { scenario { title } } } } } }"
    " } }": 5,
}


async def test_a_longer_list_costs_no_more_statements(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    for number in range(4):
        scenario = await worlds.scenario(store, viewer, f"Number {number}.")
        await told(store, viewer, scenario.id, seed=number)
    for document, most in LISTS.items():
        with counted(store) as statements:
            await client.get(document)
        assert len(statements) <= most, statements


async def test_a_list_is_counted_only_when_asked(client: Client) -> None:
    store = client.services.store
    for field in ("scenarios", "simulations"):
        with counted(store) as statements:
            await client.get(f"{{ {field} {{ nodes {{ id }} pageInfo {{ hasNextPage }} }} }}")
        assert len(statements) == 1
        assert "COUNT" not in statements[0]
        for asked in (
            f"{{ {field} {{ totalCount }} }}",
            f"{{ {field} {{ ... {{ total: totalCount }} }} }}",
            f"query {{ {field} {{ ...part }} }} fragment part on Connection {{ totalCount }}",
        ):
            with counted(store) as statements:
                await client.get(asked)
            assert "COUNT" in statements[0]


async def test_short_runs_are_read_together(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    simulations = [await told(store, viewer, seed=number) for number in range(4)]
    length = sum(simulation.last_seq for simulation in simulations)
    with counted(store) as statements:
        await client.get(
            "{ simulations { nodes { observability { summary { events } metrics { name } traces { name } } } } }"
        )
    assert len(statements) <= 2 + length // 1_000
