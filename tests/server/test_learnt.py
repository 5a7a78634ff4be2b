"""What a tenant has taught the server stays, however much others teach it."""

from app.graphql.learnt import CHARACTERS_OF_A_TENANT, LearntDocuments


def test_each_tenant_has_a_share() -> None:
    learnt = LearntDocuments(per_tenant=3)
    learnt.put("a", "0", "{ mine }")
    for n in range(10):
        learnt.put("b", str(n), f"{{ a{n} }}")
    assert learnt.get("a", "0") == "{ mine }"
    assert learnt.get("b", "0") is None
    assert [learnt.get("b", str(n)) is not None for n in range(10)] == [False] * 7 + [True] * 3
    assert learnt.get("a", "9") is None
    assert learnt.get("c", "0") is None


def test_whoever_has_the_most_makes_room() -> None:
    room = 10 * 100 + 2 * CHARACTERS_OF_A_TENANT
    learnt = LearntDocuments(characters_per_tenant=10_000, most_characters=room)
    for n in range(9):
        learnt.put("b", str(n), "x" * 100)
    learnt.put("a", "0", "y" * 100)
    learnt.put("a", "1", "y" * 100)
    assert learnt.get("b", "0") is None
    assert learnt.get("b", "1") is not None
    assert learnt.get("a", "0") is not None
    assert learnt._characters == room


def test_memory_is_bounded_by_tenants_too() -> None:
    learnt = LearntDocuments(most_characters=10 * (100 + CHARACTERS_OF_A_TENANT))
    for n in range(50):
        learnt.put(str(n), "0", "x" * 100)
    assert len(learnt._tenants) == 10
    learnt.put("giant", "0", "x" * 900_000)
    assert learnt.get("giant", "0") is None
