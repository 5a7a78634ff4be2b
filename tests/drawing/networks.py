"""Networks to draw: of any size and shape, in any script, and with labels that would break careless drawing."""

from dataclasses import replace
from itertools import pairwise
from random import Random

from hypothesis import strategies as st

from tests.examples import pipeline
from windtunnel.domain.architectures import (
    AgentRole,
    Architecture,
    DataSensitivity,
    Link,
    LinkKind,
    NetworkAgent,
    ResiliencePolicy,
    ServiceTime,
    Telemetry,
    Tool,
    ToolCategory,
)
from windtunnel.domain.failures import Severity
from windtunnel.domain.networks import distances, successors_of

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"] --> x; click x "javascript:alert(1)"',
    "end",
    "`markdown` **bold** $$\\frac{1}{2}$$",
    "%%{init: {'theme': 'dark'}}%%",
    "fa:fa-bomb @{shape: rect} :::danger",
    "#quot; &quot; &#34; ﬂ°°34¶ß &lt;b&gt;",
    "style a:#fff;stroke:#000;",
    "line one\nline two\r\n\tsubgraph end",
    '\\N \\G \\L \\\\" [label="x"]',
    "<![CDATA[ ]]> <!-- --> <?xml?>",
    "\u202egnisrever\u202c \u2066isolated\u2069 \ufeffbom \u200bzero",
    "{{ 7*7 }} {% raw %} {# #}",
    "e\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308",
    "👩‍👩‍👧‍👦 family \ufffe\uffff\x01\x08\x1b[31m",
    "客户支持代理负责处理所有退款请求并且在必要时转交给人工审核人员",
    "وكيل دعم العملاء الذي يتعامل مع جميع طلبات الاسترداد",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    " ",
)

NAMES = (
    "Triage router", "Refund specialist", "Fraud guard", "Knowledge base", "Team lead", "Answer writer",
    "Quality critic", "Order system bridge", "Work planner", "Chief orchestrator", "客户支持代理", "محلل المخاطر",
    "Enterprise resource planning reconciliation specialist for invoices", "Translator",
)  # fmt: skip
TOOLS = (
    ("CRM", ToolCategory.DATABASE, True), ("Web search", ToolCategory.SEARCH, False),
    ("Payments", ToolCategory.HTTP_API, True), ("E-mail", ToolCategory.MESSAGING, True),
    ("Knowledge search", ToolCategory.RETRIEVAL, False), ("Code runner", ToolCategory.CODE, True),
    ("Document store", ToolCategory.FILE, False), ("Spreadsheet engine", ToolCategory.COMPUTE, False),
)  # fmt: skip


def network(size: int, seed: int = 1, *, links_each: float = 1.35) -> Architecture:
    """A random connected network of `size` agents with tools, branches and feedback; the same for the same seed."""
    dice = Random(seed)
    roles = list(AgentRole)
    keys = [f"a{number}" for number in range(size)]
    tools = tuple(
        Tool(
            f"t{number}", name.lower(), name, f"Serves with {name}.", category, writes,
            dice.choice(list(DataSensitivity)), (), ServiceTime(500),
        )
        for number, (name, category, writes) in enumerate(TOOLS)
    )  # fmt: skip
    agents = tuple(
        NetworkAgent(
            key=key,
            name=NAMES[number % len(NAMES)],
            role=roles[(number + seed) % len(roles)],
            responsibility=f"Does step {number}.",
            instructions="Do it.",
            skills=("reading", "writing"),
            tools=tuple(tool.key for tool in dice.sample(tools, dice.choice((0, 0, 1, 1, 2, 3, 6)) if number else 2)),
            policy=ResiliencePolicy(concurrency=dice.choice((1, 1, 1, 4))),
            layer=0,
            service=ServiceTime(1000),
        )
        for number, key in enumerate(keys)
    )
    tools = tuple(
        replace(tool, used_by=users)
        for tool in tools
        if (users := tuple(agent.key for agent in agents if tool.key in agent.tools))
    )
    pairs = [(dice.randrange(max(0, target - 6), target), target) for target in range(1, size)]
    while size > 2 and len(pairs) < (size - 1) * links_each:
        source, target = sorted(dice.sample(range(size), 2))
        if target - source < 9 and (source, target) not in pairs:
            pairs.append((source, target))
    links = [
        Link(
            f"l{number}", keys[source], keys[target], dice.choice(list(LinkKind)[:4]), f"passes work to step {target}",
            dice.choice((None, None, "amount above 500 euros", "ready")), dice.choice((None, None, 0.3, 0.125)),
        )
        for number, (source, target) in enumerate(pairs)
    ]  # fmt: skip
    links += [
        Link(f"f{number}", keys[target], keys[source], LinkKind.FEEDBACK, "send back", "not good enough", 0.2)
        for number, (source, target) in enumerate(pairs)
        if number % 5 == 2
    ]
    mode = pipeline().failure_modes[0]
    modes = tuple(
        replace(mode, key=f"m{number}_{n}", code=f"mode_{n}", severity=dice.choice(list(Severity)), targets=(key,))
        for number, key in enumerate(keys)
        for n in range(dice.choice((0, 1, 1, 3)) if number else 1)
    )
    drawn = replace(
        pipeline(), summary="A drawn network", agents=agents, links=tuple(links), tools=tools, failure_modes=modes,
        entry_points=(keys[0],), exit_points=(keys[-1],), telemetry=Telemetry(),
    )  # fmt: skip
    return _layered(drawn)


def _layered(drawn: Architecture) -> Architecture:
    layers = distances(successors_of(drawn), drawn.entry_points)
    return replace(drawn, agents=tuple(replace(agent, layer=layers[agent.key]) for agent in drawn.agents))


def chain(size: int) -> Architecture:
    """Agents in a row."""
    drawn = network(size, links_each=0)
    keys = [agent.key for agent in drawn.agents]
    links = tuple(
        Link(f"l{number}", source, target, LinkKind.HANDOFF, "hands over")
        for number, (source, target) in enumerate(pairwise(keys))
    )
    return _layered(replace(drawn, links=links))


def fan_out(size: int) -> Architecture:
    """One agent that hands to `size` others, which all hand to a last one."""
    drawn = network(size + 2, links_each=0)
    first, *middle, last = [agent.key for agent in drawn.agents]
    links = [Link(f"o{key}", first, key, LinkKind.CALL, "assigns", None, 1 / size) for key in middle]
    links += [Link(f"i{key}", key, last, LinkKind.DATA, "reports") for key in middle]
    return _layered(replace(drawn, links=tuple(links)))


def labels() -> st.SearchStrategy[str]:
    """Hostile ones, and any text that may be stored (no NUL, no surrogates)."""
    characters = st.characters(codec="utf-8", exclude_characters="\0")
    return st.sampled_from(HOSTILE) | st.text(characters, max_size=60)


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Networks of 1 to 9 agents, linked at will (cycles, loops, doubles), every text drawn from `labels`."""
    drawn = network(draw(st.integers(1, 9)), draw(st.integers(0, 5)))
    keys = [agent.key for agent in drawn.agents]
    key = st.sampled_from(keys)
    links = draw(
        st.lists(
            st.builds(
                Link, labels(), key, key, st.sampled_from(LinkKind), labels(), st.none() | labels(),
                st.none() | st.floats(0, 1),
            ),
            max_size=14,
        )
    )  # fmt: skip
    return replace(
        drawn,
        summary=draw(labels()),
        agents=tuple(replace(agent, name=draw(labels()), responsibility=draw(labels())) for agent in drawn.agents),
        tools=tuple(replace(tool, name=draw(labels()), purpose=draw(labels())) for tool in drawn.tools),
        failure_modes=tuple(replace(mode, code=draw(labels())) for mode in drawn.failure_modes),
        links=tuple(links),
    )
