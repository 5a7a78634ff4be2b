"""Whatever fits the schemas becomes a valid architecture."""

from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.domain.networks import successors_of, validate
from windtunnel.knowledge import load_book
from windtunnel.planning.answers import (
    AgentAnswer,
    Answers,
    ArchitectAnswer,
    FailureAnswer,
    FailuresAnswer,
    InterpreterAnswer,
    LinkAnswer,
    MapperAnswer,
    NarratorAnswer,
    SkillAnswer,
    TelemetryAnswer,
    ToolAnswer,
)
from windtunnel.planning.assembly import assemble

BOOK = load_book()
NAMES = st.sampled_from(
    ["a", "A", "b ", "c-d", "c_d", "", "tool_email", "Prüfer", "承认", "{x}", "bus 1", "bus 2", "\x00"]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
AGENTS = st.builds(
    AgentAnswer,
    key=NAMES,
    name=NAMES,
    role=st.sampled_from([*AgentRole, "wizard", "", "Human", "supervisor"]),
    responsibility=TEXT,
    instructions=TEXT,
    concurrency=st.integers(-3, 10**9),
)
LINKS = st.builds(
    LinkAnswer,
    source=NAMES,
    target=NAMES,
    kind=st.sampled_from([*LinkKind, "telepathy"]),
    label=TEXT,
    condition=st.none() | TEXT,
    probability=st.none() | NUMBERS,
)
ANSWERS = st.builds(
    Answers,
    interpreter=st.builds(
        InterpreterAnswer, goal=TEXT, domain=TEXT, actors=st.lists(TEXT, max_size=3), confidence=NUMBERS
    ),
    architect=st.builds(
        ArchitectAnswer,
        summary=TEXT,
        patterns=st.lists(st.sampled_from(["rag", "RAG", "swarm", "voodoo", ""]), max_size=3),
        agents=st.lists(AGENTS, min_size=1, max_size=9) | st.lists(AGENTS, min_size=65, max_size=70),
        links=st.lists(LINKS, max_size=16),
        entry_points=st.lists(NAMES, max_size=3),
        exit_points=st.lists(NAMES, max_size=3),
    ),
    mapper=st.builds(
        MapperAnswer,
        tools=st.lists(
            st.builds(
                ToolAnswer,
                kind=st.sampled_from(["email", "Email", "weather api", "", "flux capacitor"]),
                purpose=TEXT,
                used_by=st.lists(NAMES, max_size=3),
            ),
            max_size=4,
        ),
        skills=st.lists(st.builds(SkillAnswer, agent=NAMES, skills=st.lists(TEXT, max_size=2)), max_size=3),
    ),
    failures=st.builds(
        FailuresAnswer,
        failure_modes=st.lists(
            st.builds(
                FailureAnswer,
                code=st.sampled_from(["asi01", "msft_xpia", "ASI-01", "gremlins", "human_approval_delay"]),
                targets=st.lists(NAMES, max_size=2),
                tool=st.none() | st.sampled_from(["email", "crm", "nothing"]),
                rationale=TEXT,
                mitigation=TEXT,
                detection=TEXT,
            ),
            max_size=4,
        ),
    ),
    narrator=st.builds(
        NarratorAnswer,
        opening=TEXT,
        agents=st.lists(
            st.builds(TelemetryAnswer, agent=NAMES, log=TEXT, metric=TEXT, unit=TEXT),
            max_size=3,
        ),
    ),
)


@settings(max_examples=150, deadline=None)
@given(ANSWERS)
def test_any_answers_give_a_valid_architecture_that_can_end(answers: Answers) -> None:
    architecture = assemble("An agent reads mail.", answers, BOOK, []).architecture
    assert validate(architecture) == []
    assert len(architecture.telemetry.agents) == len(architecture.agents)
    onward = {
        key: [link for link in architecture.links if link.source == key and link.kind is not LinkKind.FEEDBACK]
        for key in successors_of(architecture)
    }
    # Without the links that lead back, with a share below one, no run can go round for ever.
    done: set[str] = set()
    while ended := [key for key in onward if key not in done and all(link.target in done for link in onward[key])]:
        done.update(ended)
    assert done == set(onward)
    for links in ([link for link in architecture.links if link.source == key] for key in onward):
        back = sum(link.probability or 0 for link in links if link.kind is LinkKind.FEEDBACK)
        assert back <= 1
