"""Scenarios: stored as given, found, paged, deleted."""

import pytest

from tests.queries import counted
from tests.storage.worlds import demo, drafts, running, scenario, stranger
from windtunnel.domain.ids import new_id
from windtunnel.domain.pages import Keyset, Page, PageRequest
from windtunnel.domain.scenarios import Scenario
from windtunnel.storage import architectures, commands, events, scenarios, simulations
from windtunnel.storage.store import Store


async def test_text_comes_back_as_it_was_given(store: Store) -> None:
    you = await demo(store)
    text = "Ärger mit 'Rechnungen' \\ \"$1\" {now} %s\r\n\tالفواتير 請求書 🧾 e\u0301 \u2028"
    made = await scenario(store, you, text)
    assert await scenarios.get_many(store, you.tenant_id, [made.id]) == {made.id: made}


async def test_get_many_is_one_statement_and_leaves_out_what_is_not_there(store: Store) -> None:
    you = await demo(store)
    made = [await scenario(store, you, f"Text {number}") for number in range(3)]
    with counted(store) as statements:
        found = await scenarios.get_many(store, you.tenant_id, [*(one.id for one in made), new_id(), "\0", "x" * 9999])
    assert found == {one.id: one for one in made}
    assert len(statements) == 1
    with counted(store) as statements:
        assert await scenarios.get_many(store, you.tenant_id, ["\ud800"]) == {}
    assert statements == []


async def _walk(store: Store, tenant_id: str, size: int, *, backward: bool) -> list[Page[Scenario]]:
    pages = [await scenarios.page(store, tenant_id, PageRequest(limit=size, backward=backward))]
    while pages[-1].has_previous if backward else pages[-1].has_next:
        edge = pages[-1].keys[0 if backward else -1]
        request = (
            PageRequest(limit=size, before=edge, backward=True) if backward else PageRequest(limit=size, after=edge)
        )
        pages.append(await scenarios.page(store, tenant_id, request))
    return pages


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_pages_forward_and_backward_are_the_whole_list_once(store: Store, size: int) -> None:
    you = await demo(store)
    made = [await scenario(store, you, f"Text {number}", age_s=number // 3) for number in range(7)]
    newest_first = sorted(made, key=lambda one: (one.created_at, one.id), reverse=True)

    forward = await _walk(store, you.tenant_id, size, backward=False)
    assert [one for page in forward for one in page.items] == newest_first
    assert [page.has_previous for page in forward] == [False] + [True] * (len(forward) - 1)

    backward = await _walk(store, you.tenant_id, size, backward=True)
    assert [one for page in reversed(backward) for one in page.items] == newest_first
    assert [page.has_next for page in backward] == [False] + [True] * (len(backward) - 1)

    assert {page.total for page in forward + backward} == {7}
    for page in forward + backward:
        assert [key.id for key in page.keys] == [one.id for one in page.items]


async def test_page_between_two_places(store: Store) -> None:
    you = await demo(store)
    for number in range(6):
        await scenario(store, you, f"Text {number}", age_s=number)
    whole = await scenarios.page(store, you.tenant_id, PageRequest(limit=6))
    inside = await scenarios.page(store, you.tenant_id, PageRequest(limit=5, after=whole.keys[0], before=whole.keys[4]))
    assert list(inside.items) == list(whole.items[1:4])
    assert (inside.has_previous, inside.has_next, inside.total) == (True, True, 6)


async def test_page_beyond_the_end_is_empty_and_knows_what_is_before(store: Store) -> None:
    you = await demo(store)
    await scenario(store, you)
    beyond = await scenarios.page(store, you.tenant_id, PageRequest(limit=5, after=Keyset(0, "")))
    assert (list(beyond.items), beyond.has_next, beyond.has_previous, beyond.total) == ([], False, True, 1)
    made_up = Keyset(2**200, "\0'; DROP TABLE scenarios")
    first = await scenarios.page(store, you.tenant_id, PageRequest(limit=5, after=made_up))
    assert (len(first.items), first.has_previous) == (1, False)


async def test_page_of_nothing(store: Store) -> None:
    you = await demo(store)
    empty = await scenarios.page(store, you.tenant_id, PageRequest())
    assert empty == Page(items=[], keys=[], has_next=False, has_previous=False, total=0)


async def test_a_page_counts_only_when_asked(store: Store) -> None:
    you = await demo(store)
    made = await scenario(store, you)
    page = await scenarios.page(store, you.tenant_id, PageRequest(counted=False))
    assert (list(page.items), page.total) == ([made], None)


async def test_page_is_one_statement(store: Store) -> None:
    you = await demo(store)
    for number in range(3):
        await scenario(store, you, f"Text {number}")
    with counted(store) as statements:
        await scenarios.page(store, you.tenant_id, PageRequest(limit=2), search="text")
    assert len(statements) == 1


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("RECHNUNG", {"Rechnungen prüfen"}),
        ("PRÜFEN", {"Rechnungen prüfen"}),
        ("pru\u0308fen", {"Rechnungen prüfen"}),
        ("strasse", {"Die Straße räumen"}),
        ("100%", {"Spare 100% ein"}),
        ("%", {"Spare 100% ein"}),
        ("_", {"snake_case"}),
        ("\\", {"a\\b"}),
        ("ПИСЬМО", {"Напиши письмо"}),
        ("nothing like it", set()),
        ("\0", set()),
        ("\ud800", set()),
        ("$1", set()),
    ],
)
async def test_search_is_a_substring_in_any_case(store: Store, search: str, found: set[str]) -> None:
    you = await demo(store)
    for text in ("Rechnungen prüfen", "Die Straße räumen", "Spare 100% ein", "snake_case", "a\\b", "Напиши письмо"):
        await scenario(store, you, text)
    page = await scenarios.page(store, you.tenant_id, PageRequest(), search=search)
    assert {one.text for one in page.items} == found
    assert page.total == len(found)


async def test_search_looks_at_the_whole_text_and_an_empty_one_keeps_all(store: Store) -> None:
    you = await demo(store)
    await scenario(store, you, "x" * 19_000 + " needle")
    await scenario(store, you, "Something else")
    assert (await scenarios.page(store, you.tenant_id, PageRequest(), search="Needle")).total == 1
    assert (await scenarios.page(store, you.tenant_id, PageRequest(), search="")).total == 2


async def test_delete_takes_everything_of_it_along(store: Store) -> None:
    you = await demo(store)
    made, kept = await scenario(store, you), await scenario(store, you, "Kept")
    simulation, other = await running(store, you, made.id), await running(store, you, kept.id)
    await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, drafts(3))
    mode = (await architectures.get_many(store, you.tenant_id, [str(simulation.architecture_id)])).popitem()[1]
    await commands.add(store, you.tenant_id, simulation.id, mode.architecture.failure_modes[0], None)

    assert await scenarios.delete(store, you.tenant_id, made.id)

    assert list(await scenarios.get_many(store, you.tenant_id, [made.id, kept.id])) == [kept.id]
    assert list(await simulations.get_many(store, you.tenant_id, [simulation.id, other.id])) == [other.id]
    ids = [str(simulation.architecture_id), str(other.architecture_id)]
    assert list(await architectures.get_many(store, you.tenant_id, ids)) == [other.architecture_id]
    assert await events.read(store, you.tenant_id, simulation.id) == []
    assert await commands.list(store, simulation.tenant_id, simulation.id) == []
    assert not await scenarios.delete(store, you.tenant_id, made.id)
    assert not await scenarios.delete(store, you.tenant_id, "\0")


async def test_another_tenant_sees_and_deletes_nothing(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    made = await scenario(store, you)
    assert await scenarios.get_many(store, eve.tenant_id, [made.id]) == {}
    assert (await scenarios.page(store, eve.tenant_id, PageRequest())).total == 0
    assert not await scenarios.delete(store, eve.tenant_id, made.id)
    assert made.id in await scenarios.get_many(store, you.tenant_id, [made.id])
