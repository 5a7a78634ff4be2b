"""Plain words for what the catalogue names shortly: patterns, and the reasons why a failure mode fits."""

from collections.abc import Sequence

from windtunnel.knowledge import load_book

PATTERNS: dict[str, str] = {
    "single_agent": "one agent does it all with its tools",
    "sequential_pipeline": "the work goes from one step to the next",
    "router_triage": "each item goes to the specialist for its kind",
    "supervisor_workers": "a lead hands out parts of the task and puts the results together",
    "parallel_fan_out": "parts are worked on at the same time and put together",
    "evaluator_optimizer": "a critic sends drafts back until they are good enough",
    "debate_voting": "several answer independently and one decides between them",
    "hierarchical": "leads have teams of their own and report up",
    "blackboard": "all read and write one shared board",
    "human_approval_gate": "a person has to agree",
    "planner_executor": "a plan is made, carried out, and changed when it does not hold",
    "rag": "answers are looked up in documents",
    "event_driven_monitor": "a watcher starts the work when something happens",
    "guardrail": "a check stops what the policy does not allow",
    "saga_transaction": "steps already done are undone when a later one fails",
    "code_sandbox": "code is run in isolation and repaired until it works",
    "peer_negotiation": "agents of different owners bargain with each other",
}

_REASONS: dict[str, str] = {
    "access_tool": "an agent grants access", "answering": "questions are answered", "blackboard": "a board is shared",
    "code_exec": "code is run", "critic": "an agent checks others", "cycle": "work can go back",
    "debate": "agents argue", "delegation": "tasks are delegated", "edge_device": "devices are far away",
    "egress": "data leaves the house", "external_tool": "a tool of somebody else is called",
    "extraction": "fields are taken out of documents", "fan_in": "several results meet",
    "fan_out": "work is spread over many", "guardrail": "a check may refuse", "handoff": "work is handed over",
    "hierarchy": "there are several levels", "hub": "one agent is connected to many", "human_gate": "a person decides",
    "judge_only": "only an agent checks the result", "long_chain": "many steps follow one another",
    "low_confidence": "the text leaves much open", "many_agents": "many agents take part",
    "many_constraints": "many limits have to be kept", "many_tools": "one agent has many tools",
    "memory": "something is remembered", "monitor": "events come in by themselves",
    "negotiation": "agents bargain", "no_compensation": "what was written is not undone",
    "no_guardrail": "nothing checks against a policy", "no_human": "no person looks at it",
    "no_retrieval": "nothing is looked up", "no_verifier": "nobody checks the result",
    "people_tool": "it decides about people", "planning": "an agent makes plans", "rag": "answers come from documents",
    "retrieval": "information is looked up", "router": "items are told apart", "saga": "several writes belong together",
    "scheduling": "dates are set", "sensitive_tool": "a tool holds sensitive data",
    "sequence": "steps build on each other",
    "shared_tools": "a tool is shared", "untrusted_input": "strangers' texts come in", "voice": "it is spoken",
    "web": "the web is searched", "wide_fan_out": "work is spread over very many", "write_tool": "a tool changes data",
    "aggregate": "results are put together", "again": "work is repeated", "approve": "somebody has to approve",
    "audit": "a record is needed", "automatic": "it runs unattended", "continuous": "it never stops",
    "corpus": "documents are the source", "each": "it is done for each item", "escalate": "cases are escalated",
    "finally": "there is a last step", "improve": "drafts are improved",
    "international": "countries and time zones mix",
    "legacy": "an old system is involved", "limit": "a limit is set", "long": "texts are long",
    "negotiate": "terms are negotiated", "parallel": "things happen at once", "partner": "other parties take part",
    "policy": "a policy applies", "public_input": "the public writes in", "publish": "something is published",
    "realtime": "it happens live", "remember": "past work is remembered", "review": "work is reviewed",
    "route": "items are routed", "schedule": "it runs at set times", "score": "items are scored",
    "search": "something is searched for", "sensitive": "personal data is involved",
    "shared_board": "a board is shared", "summary": "results are summarised", "team": "a team works together",
    "third_party": "a third party is involved", "transaction": "something is booked or paid",
    "unreliable": "a connection is unreliable", "until": "it is repeated until something holds",
    "untrusted": "not everybody can be trusted", "urgent": "it is urgent", "vague": "the text is vague",
    "volume": "there is a lot of it", "vote": "votes are counted", "wait": "something has to wait",
    "draft": "texts are drafted", "answer": "questions are answered", "code": "code is written",
}  # fmt: skip


def reason(trigger: str) -> str:
    """Why a failure mode fits, in a few words; a tool is named by its title."""
    if trigger in _REASONS:
        return _REASONS[trigger]
    tool = load_book().tools.get(trigger)
    return f"it uses {tool.name.lower()}" if tool is not None else trigger.replace("_", " ")


def how_it_works(patterns: Sequence[str], most: int = 3) -> str:
    """The patterns as one sentence without a full stop; empty without known ones."""
    told = [PATTERNS[name] for name in patterns if name in PATTERNS][:most]
    if not told:
        return ""
    said = told[0] if len(told) == 1 else f"{', '.join(told[:-1])}, and {told[-1]}"
    return said[:1].upper() + said[1:]
