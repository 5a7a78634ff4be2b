"""Networks that a reader can believe: approvals before what they guard, rules that are no steps, plain names."""

import pytest

from tests.planning.steps import Steps
from windtunnel.domain.architectures import AgentRole, Architecture
from windtunnel.knowledge import load_book
from windtunnel.planning import offline_planner
from windtunnel.planning.features import FEATURES
from windtunnel.planning.offline.wording import PATTERNS, how_it_works, reason


async def architecture_of(text: str) -> Architecture:
    return (await offline_planner().plan(text, Steps())).architecture


def names(architecture: Architecture) -> list[str]:
    return [agent.name for agent in architecture.agents]


def warned(architecture: Architecture) -> set[str]:
    return {warning.code for warning in architecture.warnings}


NEEDED = {
    "en": (
        "An agent reads the request, checks the order and pays the refund. Refunds over $200 need a manager.",
        "Pays",
    ),
    "de": (
        "Der Agent liest die Rechnung, prüft die Bestellung und bezahlt sie. Über 500 Euro braucht es den Direktor.",
        "Bezahlt",
    ),
    "es": (
        "El agente lee la factura, revisa el pedido y paga al proveedor. Más de 500 euros requieren al gerente.",
        "Paga",
    ),
    "zh": ("智能体读取发票，核对订单，然后付款。超过五万元需要经理。", "付款"),
}


@pytest.mark.parametrize("language", NEEDED)
async def test_whom_the_work_needs_stands_before_what_they_guard(language: str) -> None:
    text, guarded = NEEDED[language]
    architecture = await architecture_of(text)
    person = next(agent for agent in architecture.agents if agent.role is AgentRole.HUMAN)
    payer = next(agent for agent in architecture.agents if agent.name.startswith(guarded))
    assert any(link.source == person.key and link.target == payer.key for link in architecture.links)
    assert not any(link.source == payer.key and link.target == person.key for link in architecture.links)
    assert "human_approval_gate" in architecture.patterns


async def test_what_a_gate_lets_through_is_not_drawn_twice() -> None:
    architecture = await architecture_of(
        "Messages go to the right specialist, who fixes the issue or issues a refund. "
        "Refunds over $200 need a manager to sign off."
    )
    assert not any("refunds" in name.lower() for name in names(architecture))


async def test_rules_are_limits_and_no_agents() -> None:
    plan = await offline_planner().plan(
        "Rules:\n- Never share personal data\n- Refunds over $200 need a manager\n- Reply within one hour\n\n"
        "The agent reads the email, drafts a reply and sends it.",
        Steps(),
    )
    assert names(plan.architecture)[:2] == ["Reads the email", "Drafts a reply"]
    assert not {"Share personal data", "Reply within one hour"} & set(names(plan.architecture))
    assert "Manager" in names(plan.architecture), "a rule may name who has to agree"
    assert {"Never share personal data", "Reply within one hour"} <= set(plan.interpretation.constraints)


async def test_a_list_under_another_heading_is_steps() -> None:
    architecture = await architecture_of("Rules:\n- Never lie\n\nSteps:\n1. Read the invoice\n2. Pay the invoice")
    assert names(architecture) == ["Read the invoice", "Pay the invoice"]


@pytest.mark.parametrize(
    "text",
    [
        "The agent answers letters. It must not promise dates.",
        "Der Agent beantwortet Briefe. Er darf nicht Termine buchen.",
        "L'agent répond aux lettres. Il ne doit jamais payer une facture.",
        "智能体回复信件。不得付款。",
    ],
)
async def test_what_is_forbidden_is_not_done(text: str) -> None:
    architecture = await architecture_of(text)
    assert not any(agent.role is AgentRole.INTEGRATION for agent in architecture.agents)


async def test_a_condition_is_no_agent_but_makes_the_next_step_an_exception() -> None:
    architecture = await architecture_of(
        "A support agent answers questions. If it cannot answer, it escalates to a human."
    )
    assert "Human" in names(architecture)
    assert not any(name.startswith("Cannot") for name in names(architecture))
    into = next(link for link in architecture.links if link.target == "human")
    assert into.probability is not None
    assert into.probability < 0.5


async def test_the_kinds_that_are_told_apart_are_those_of_the_text() -> None:
    architecture = await architecture_of("An agent routes tickets to the right team: billing, bugs or sales.")
    assert names(architecture)[1:] == ["Billing", "Bugs", "Sales"]


async def test_kinds_that_the_text_does_not_name_are_asked_for_and_not_invented() -> None:
    architecture = await architecture_of("Triage incoming emails.")
    assert not any("cases" in name.lower() for name in names(architecture))
    assert any("kinds" in question for question in architecture.clarifying_questions)


async def test_to_route_needs_no_map_and_a_delivery_route_does() -> None:
    routed = await architecture_of("An agent routes tickets to billing or sales.")
    driven = await architecture_of("The agent works out the shortest route for the vans and texts the drivers.")
    assert "maps" not in {tool.kind for tool in routed.tools}
    assert "maps" in {tool.kind for tool in driven.tools}


async def test_sentences_that_are_not_drawn_are_named() -> None:
    architecture = await architecture_of("We sell shoes. The bot answers questions about sizes. Complaints go to Anna.")
    told = next(warning.message for warning in architecture.warnings if warning.code == "NOT_DRAWN")
    assert "We sell shoes" in told
    assert "answers questions" not in told


async def test_steps_behind_the_last_that_is_drawn_are_named() -> None:
    verbs = ("checks", "prints", "compares", "translates", "updates", "archives")
    text = " ".join(f"Then agent {verbs[number % 6]} list {number}." for number in range(30))
    assert "NOT_DRAWN" in warned(await architecture_of(text))


async def test_everything_drawn_needs_no_warning() -> None:
    assert not warned(await architecture_of("An agent reads the invoice. Then it pays the invoice."))


async def test_the_story_begins_in_plain_words_and_tells_no_list_of_names() -> None:
    architecture = await architecture_of("The agent reads the invoice, checks it, and a manager approves the payment.")
    opening = architecture.telemetry.opening
    assert opening.startswith("Work arrives at ")
    assert not any(name in opening for name in load_book().patterns)
    assert "human approval gate" not in opening
    assert sum(name in opening for name in names(architecture)) <= 2
    assert all("_" not in mode.rationale for mode in architecture.failure_modes)


def test_every_pattern_and_trigger_of_the_book_has_plain_words() -> None:
    book = load_book()
    assert set(PATTERNS) == set(book.patterns)
    triggers = FEATURES | {name for known in book.triggers.values() for name in (*known.structure, *known.concepts)}
    assert {name for name in triggers if reason(name) == name.replace("_", " ")} == set()
    assert how_it_works([]) == ""


async def test_many_without_names_are_one_agent_with_copies() -> None:
    architecture = await architecture_of("All stations are asked for their readings at the same time.")
    assert len(architecture.agents) <= 3
    assert any(agent.policy.concurrency >= 3 for agent in architecture.agents)


async def test_the_form_of_a_letter_is_no_work() -> None:
    architecture = await architecture_of(
        "Subject: orders\nHi all, when a flight is scrubbed, the agent rebooks the passenger, prints the ticket "
        "and mails the guest. Regards, Ines"
    )
    assert not {"Subject", "Hi", "Hi all", "Regards", "Ines"} & set(names(architecture))
