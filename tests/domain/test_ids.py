"""Ids: those at home are UUIDs, those in an environment name it; both sort by when they were made."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.ids import id_of_copy, is_id, namespace_of, new_id, new_namespace


def test_an_id_at_home_is_a_uuid_of_version_7() -> None:
    made = new_id()
    assert uuid.UUID(made).version == 7
    assert str(uuid.UUID(made)) == made
    assert namespace_of(made) is None
    assert is_id(made)


def test_an_id_in_an_environment_names_it_and_is_as_long() -> None:
    namespace = new_namespace()
    made = new_id(namespace)
    assert namespace_of(made) == namespace
    assert len(made) == len(new_id())
    assert is_id(made)


def test_ids_are_many_and_sort_by_time() -> None:
    namespace = new_namespace()
    made = [new_id(namespace) for _ in range(1_000)]
    assert len(set(made)) == len(made)
    assert made[0][:28] <= made[-1][:28]


@given(st.text(max_size=40))
def test_hardly_any_text_is_an_id(text: str) -> None:
    assert is_id(text) == (namespace_of(text) is not None or _is_uuid(text))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def test_a_copy_in_an_environment_always_has_the_same_id_and_each_its_own() -> None:
    one, two, id_ = new_namespace(), new_namespace(), new_id()
    copy = id_of_copy(one, id_)
    assert (is_id(copy), namespace_of(copy), len(copy)) == (True, one, 36)
    assert copy == id_of_copy(one, id_)
    assert len({copy, id_of_copy(two, id_), id_of_copy(one, new_id())}) == 3
