"""How much work an experiment may be, and in how large pieces: a network can turn few tasks into many attempts."""

from dataclasses import replace

import pytest

from windtunnel.domain.architectures import ServiceTime
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.experiments import Load
from windtunnel.experiments.loads import check_work
from windtunnel.experiments.model import Model, Place
from windtunnel.experiments.overrides import overridden
from windtunnel.experiments.soundness import attempts_per_task, check_model, visits_per_task
from windtunnel.experiments.study import study_of
from windtunnel.simulation.network import Node, Route


def _round_and_round(again: float = 0.99, attempts: int = 30) -> Model:
    node = Node("a", ServiceTime(1.0), max_attempts=attempts)
    return Model((Place(node, "a"),), (Route("a", "a", again),), ("a",))


def test_every_visit_may_take_all_of_its_attempts() -> None:
    assert visits_per_task(_round_and_round()) == pytest.approx(100.0)
    assert attempts_per_task(_round_and_round()) == pytest.approx(3_000.0)


@pytest.mark.parametrize("again", [1.0, 1.0 - 1e-12])
def test_work_that_never_leaves_is_never_done(again: float) -> None:
    assert visits_per_task(_round_and_round(again)) == attempts_per_task(_round_and_round(again)) == float("inf")


@pytest.mark.parametrize(("load", "name"), [(Load(1, 1, 34_000), "tasks"), (Load(1, 1_000, 20_000), "replications")])
def test_few_tasks_may_be_too_much_work(load: Load, name: str) -> None:
    ordinary = _round_and_round(again=0.1, attempts=3)
    check_work(load, ordinary, ordinary)
    for base, variant in ((_round_and_round(), None), (ordinary, _round_and_round())):
        with pytest.raises(ValidationError) as refused:
            check_work(load, base, variant)
        assert (refused.value.rule, refused.value.path) == ("too_much_work", ("input", name))


def test_the_work_of_both_sides_counts_what_is_forced_down() -> None:
    base, variant, load = _round_and_round(again=0.1, attempts=3), _round_and_round(), Load(1, 920, 18_000)
    study = study_of(base, variant, load, warmup=0)
    tasks = sum(
        attempts_per_task(variant if "variant" in one.purpose else base) * one.replications for one in study.sides
    )
    with pytest.raises(ValidationError, match=f"may make {tasks * load.tasks:,.0f} attempts"):
        check_work(load, base, variant)


def test_pieces_are_small_where_tasks_are_much_work() -> None:
    load = Load(1, 40, 100)
    sizes = {each.count for each in study_of(_round_and_round(attempts=1), None, load, warmup=0).chunks}
    assert sizes == {40, 25}
    sizes = {each.count for each in study_of(_round_and_round(), None, load, warmup=0).chunks}
    assert sizes == {10, 5}


def test_networks_have_a_size() -> None:
    model = _round_and_round(again=0.0)
    many = tuple(Place(replace(model.places[0].node, key=str(number)), "a") for number in range(2_049))
    with pytest.raises(ValidationError) as refused:
        check_model(Model(many, (), ("0",)))
    assert refused.value.rule == "too_large"


def test_what_nobody_has_is_named_in_few_words() -> None:
    with pytest.raises(ValidationError) as refused:
        overridden(_round_and_round(), {"nodes": {"x" * 100_000: {}}})
    assert len(refused.value.message) < 300


def test_a_join_without_a_fork_ends_nothing() -> None:
    node = Node("a", ServiceTime(1.0), join=2)
    again = (Route("a", "a", 0.5), Route("a", "a", 0.5))
    assert visits_per_task(Model((Place(node, "a"),), again, ("a",))) == float("inf")
