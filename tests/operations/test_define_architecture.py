"""Networks by hand: drawn or edited, validated, immutable, compared with their origin, and simulated."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.experiment_world import asked, conduct_all, now_stored, planned
from tests.operations.world import conduct_all as simulate_all
from tests.operations.world import demo, process, queued
from tests.operations.world import now_stored as simulation_now
from tests.storage.worlds import stranger
from windtunnel.domain.architectures import AgentRole, Architecture, LinkKind
from windtunnel.domain.drawn_networks import DrawnAgent, DrawnLink, DrawnNetwork, DrawnTool
from windtunnel.domain.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from windtunnel.domain.experiments import ExperimentStatus
from windtunnel.domain.networks import validate
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.domain.viewers import Role
from windtunnel.operations.define_architecture import define_architecture
from windtunnel.storage import architectures, audit

DRAWN = DrawnNetwork(
    title="Refunds by mail",
    agents=(
        DrawnAgent("reader", "Reader", AgentRole.ROUTER, "Reads the mail.", tools=("crm",)),
        DrawnAgent(
            "payer", "Payer", AgentRole.WORKER, "Pays.", policy={"max_attempts": 5, "timeout_ms": None}, tools=("pay",)
        ),
    ),
    links=(DrawnLink("reader", "payer", LinkKind.HANDOFF, probability=0.5),),
    tools=(DrawnTool("crm", "crm", "Customers"), DrawnTool("pay", "payments", "Payments")),
    entry_points=("reader",),
    exit_points=("payer",),
)


def drawn_like(architecture: Architecture) -> DrawnNetwork:
    """The network as somebody would draw it who changes nothing."""
    return DrawnNetwork(
        title=architecture.summary,
        agents=tuple(
            DrawnAgent(each.key, each.name, each.role, each.responsibility, tools=each.tools)
            for each in architecture.agents
        ),
        links=tuple(
            DrawnLink(each.source, each.target, each.kind, each.key, each.label, each.condition, each.probability)
            for each in architecture.links
        ),
        tools=tuple(DrawnTool(each.key, each.kind, each.name) for each in architecture.tools),
        entry_points=architecture.entry_points,
        exit_points=architecture.exit_points,
    )


async def test_a_drawn_network_is_valid_and_can_be_simulated_and_put_under_load(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        made = await define_architecture(services, viewer, DRAWN)
        network = made.architecture
        assert validate(network) == []
        assert (made.scenario_id, made.based_on, made.changes, network.summary) == (None, None, (), DRAWN.title)
        assert network.failure_modes
        assert [agent.layer for agent in network.agents] == [0, 1]
        payer = network.agents[1].policy
        assert (payer.max_attempts, payer.timeout_ms) == (5, None)
        run = await queued(services, viewer, text=None, architecture_id=made.id)
        experiment = await asked(services, viewer, made.id)
        await simulate_all(services)
        await conduct_all(services)
        told = await simulation_now(services, run)
        assert (told.status, told.architecture_id) == (SimulationStatus.SUCCEEDED, made.id)
        assert (await now_stored(services, experiment)).status is ExperimentStatus.SUCCEEDED
        (entry,) = [
            each
            for each in await audit.read(services.store, viewer.tenant_id, 0, 100)
            if each.subject_id == made.id and each.action == "ARCHITECTURE_DEFINED"
        ]
        assert made.digest in entry.details


async def test_an_edited_network_keeps_what_was_not_touched_and_says_what_differs(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        origin_id = await planned(services, viewer)
        origin = (await architectures.get_many(services.store, viewer.tenant_id, [origin_id]))[origin_id].architecture
        same = await define_architecture(services, viewer, drawn_like(origin), based_on=origin_id)
        assert same.changes == ()
        assert same.architecture.agents == origin.agents
        assert same.architecture.tools == origin.tools
        drawing = drawn_like(origin)
        first = replace(drawing.agents[0], policy={"max_attempts": 7})
        edited = await define_architecture(
            services, viewer, replace(drawing, agents=(first, *drawing.agents[1:])), based_on=origin_id
        )
        was = origin.agents[0].policy.max_attempts
        assert edited.changes == (f"The agent {first.key}: max attempts 7 instead of {was}.",)
        assert edited.based_on == origin_id
        assert (await architectures.get_many(services.store, viewer.tenant_id, [origin_id]))[
            origin_id
        ].architecture == origin


def agents(**changed: Any) -> tuple[DrawnAgent, ...]:
    return (replace(DRAWN.agents[0], **changed), DRAWN.agents[1])


PROBLEMS: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({"title": " "}, "text_length", ("title",)),
    ({"agents": ()}, "wrong_number", ("agents",)),
    ({"tools": ()}, "wrong_number", ("tools",)),
    ({"entry_points": ()}, "wrong_number", ("entry_points",)),
    ({"agents": agents(name="\0")}, "string_unstorable", ("agents", "0", "name")),
    ({"agents": agents(key="a b")}, "key", ("agents", "0", "key")),
    ({"agents": agents(key="payer")}, "unique", ("agents", "1", "key")),
    ({"agents": agents(tools=("crm", "no"))}, "unknown_key", ("agents", "0", "tool_keys", "1")),
    ({"agents": agents(policy={"max_attempts": 0})}, "out_of_range", ("agents", "0", "policy", "max_attempts")),
    ({"agents": agents(tools=())}, "unused_tool", ("tools", "0", "key")),
    ({"links": (DrawnLink("reader", "nobody", LinkKind.CALL),)}, "unknown_key", ("links", "0", "target")),
    ({"links": (DrawnLink("reader", "reader", LinkKind.CALL),)}, "self_link", ("links", "0", "target")),
    ({"links": DRAWN.links * 2}, "unique", ("links", "0")),
    (
        {"links": (replace(DRAWN.links[0], probability=float("nan")),)},
        "out_of_range",
        ("links", "0", "probability"),
    ),
    ({"links": ()}, "unreachable", ("agents", "1", "key")),
    ({"exit_points": ("nobody",)}, "unknown_key", ("exit_points", "0")),
    ({"tools": (DrawnTool("crm", "crn", "C"), DRAWN.tools[1])}, "unknown_key", ("tools", "0", "kind")),
]


async def test_a_link_without_a_label_keeps_the_one_that_it_had(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        origin_id = await planned(services, viewer)
        origin = (await architectures.get_many(services.store, viewer.tenant_id, [origin_id]))[origin_id].architecture
        plain = drawn_like(origin)
        links = tuple(replace(link, key=None, label=None) for link in plain.links)
        agent = replace(plain.agents[0], policy={"circuit_breaker": not origin.agents[0].policy.circuit_breaker})
        bare = replace(plain, links=links, agents=(agent, *plain.agents[1:]))
        made = await define_architecture(services, viewer, bare, based_on=origin_id)
        assert [link.label for link in made.architecture.links] == [link.label for link in origin.links]
        (change,) = made.changes
        assert re.fullmatch(r"The agent \S+: circuit breaker (on instead of off|off instead of on)\.", change)


async def test_every_problem_is_told_with_the_way_to_it(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        for changed, rule, path in PROBLEMS:
            with pytest.raises(RefusedError) as refused:
                await define_architecture(services, viewer, replace(DRAWN, **changed))
            found = [(each.rule, each.path) for each in refused.value.problems]
            assert (rule, ("input", *path)) in found, (changed, found)
        with pytest.raises(RefusedError) as refused:
            await define_architecture(services, viewer, replace(DRAWN, exit_points=("x", "y"), entry_points=("z",)))
        assert len(refused.value.problems) == 3


async def test_work_that_goes_round_can_be_put_under_load(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        there = replace(DRAWN.links[0], probability=None)
        back = DrawnLink("payer", "reader", LinkKind.HANDOFF)
        made = await define_architecture(services, viewer, replace(DRAWN, links=(there, back)))
        experiment = await asked(services, viewer, made.id)
        await conduct_all(services)
        assert (await now_stored(services, experiment)).status is ExperimentStatus.SUCCEEDED


async def test_who_may_define_and_of_what(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        theirs = await stranger(services.store)
        origin_id = await planned(services, viewer)
        with pytest.raises(NotFoundError) as nothing:
            await define_architecture(services, theirs, DRAWN, based_on=origin_id)
        assert nothing.value.path == ("input", "based_on")
        with pytest.raises(ForbiddenError):
            await define_architecture(services, replace(viewer, roles=frozenset({Role.AUDITOR})), DRAWN)
        first = await define_architecture(services, viewer, DRAWN, idempotency_key="k")
        again = await define_architecture(services, viewer, DRAWN, idempotency_key="k")
        assert again == first
        with pytest.raises(ConflictError):
            await define_architecture(services, viewer, replace(DRAWN, title="Another"), idempotency_key="k")
