"""Arguments for any field, made from its types; what no type tells is in the tables at the top."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    is_required_argument,
    is_required_input_field,
)

from tests.operations.packages_world import mine
from tests.walks.shape import Entry
from windtunnel.domain.entities import Kind

VALUES: dict[str, Any] = {
    "text": "Customers write to us. Route each message to a specialist; refunds need a manager.",
    "code": "tool_api_timeout",
    "email": "somebody@demo.local",
    "url": "https://93.184.215.14/in",  # a public address: nothing is looked up, and nothing is sent
    "IssueApiTokenInput.name": "Pipeline",
    "SetFeatureFlagInput.name": "enable-deployment-pipeline",
    "SetFeatureFlagInput.enabled": False,
    "ProvisionEnvironmentInput.name": "Try",
    "SetMinimumIsolationInput.minimum": "LOGICAL",
    "ConfigurationEntryInput.key": "MODEL",
    "ConfigurationEntryInput.value": "gpt-5-mini",
    "DefineArchitectureInput.entryPoints": "walker",
    "DefineArchitectureInput.exitPoints": "walker",
    "DefineArchitectureInput.links": [],
    "NetworkAgentInput.key": "walker",
    "NetworkAgentInput.name": "Walker",
    "NetworkAgentInput.responsibility": "Walks.",
    "NetworkAgentInput.toolKeys": "desk",
    "ToolInput.key": "desk",
    "ToolInput.kind": "crm",
    "ToolInput.name": "Desk",
    "RegisterAgentInput.slug": "walker",
    "RegisterAgentInput.name": "Walker",
    "AgentBy.slug": "walker",
    "description": "It walks.",
    "reason": "It answers in the wrong language.",
    "title": "Undeclared socket",
    "detail": "main.py, line 3.",
    "remediation": "Declare the host, or remove the call.",
    "packageDigest": sha256(mine()).hexdigest(),
    "reviewedDigest": sha256(mine()).hexdigest(),
}
"""Texts, and whatever the type alone gives no sensible value for; by `Type.field`, or by field for all types."""

SCALARS: dict[str, Any] = {
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": "2999-01-01T00:00:00Z",
    "Duration": "PT1H",
    "SemVer": "1.0.0",
    "JSON": {},
}

KINDS: dict[str, Kind] = {
    "node.id": Kind.SCENARIO,
    "nodes.ids": Kind.SCENARIO,
    "tokenId": Kind.API_TOKEN,
    "agent.id": Kind.AGENT,
    "AgentBy.id": Kind.AGENT,
    "versionId": Kind.AGENT_VERSION,
    "toVersionId": Kind.AGENT_VERSION,
    "reviewId": Kind.REVIEW,
    "evidenceIds": Kind.SIMULATION,
    "basedOn": Kind.ARCHITECTURE,
}
"""Which kind of thing an id names, where its name does not say it (`simulationId` does)."""

ALSO: dict[str, tuple[str, ...]] = {
    "MarkNotificationsReadInput": ("throughSeq",),
    "ConfigureProductionInput": ("set",),
    "NetworkAgentInput": ("toolKeys",),
}
"""Optional fields of an input without which a call would mean nothing."""

OwnId = Callable[[Kind], str]


def arguments(entry: Entry, own: OwnId, aim: tuple[str, ...] = (), aimed: str = "") -> dict[str, Any]:
    """The required arguments, and `aimed` in the place that `aim` leads to. `own` makes the other ids."""
    wanted = [name for name, argument in entry.field.args.items() if is_required_argument(argument) or name in aim[:1]]
    return {
        name: _value(entry.name, name, entry.field.args[name].type, own, aim[1:] if name in aim[:1] else None, aimed)
        for name in wanted
    }


def wants(entry: Entry) -> list[Kind]:
    """The kinds of things that the required arguments name."""
    wanted: list[Kind] = []

    def own(kind: Kind) -> str:
        wanted.append(kind)
        return ""

    arguments(entry, own)
    return wanted


def _value(  # noqa: PLR0917 - one call, in one place
    owner: str, name: str, type_: GraphQLInputType, own: OwnId, aim: tuple[str, ...] | None, aimed: str
) -> Any:
    """A value of the type. `aim`: None when `aimed` belongs elsewhere, () when it belongs here."""
    if isinstance(type_, GraphQLNonNull):
        return _value(owner, name, type_.of_type, own, aim, aimed)
    if isinstance(type_, GraphQLList):
        if isinstance(whole := VALUES.get(f"{owner}.{name}"), list):
            return whole
        return [_value(owner, name, type_.of_type, own, aim, aimed)]
    if isinstance(type_, GraphQLInputObjectType):
        first = (aim or ())[:1]
        return {
            field: _value(
                type_.name, field, type_.fields[field].type, own, aim[1:] if aim and field in first else None, aimed
            )
            for field in _chosen(type_, first)
        }
    return aimed if aim == () else _leaf(owner, name, type_, own)


def _leaf(owner: str, name: str, type_: GraphQLInputType, own: OwnId) -> Any:
    for key in (f"{owner}.{name}", name):
        if key in VALUES:
            return VALUES[key]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    assert isinstance(type_, GraphQLScalarType)
    if type_.name == "ID":
        return own(kind_of(owner, name))
    assert type_.name in SCALARS, f"add {owner}.{name} to VALUES, or {type_.name} to SCALARS, of tests/walks/inputs.py"
    return SCALARS[type_.name]


def _chosen(type_: GraphQLInputObjectType, first: tuple[str, ...]) -> list[str]:
    """The fields to give: those that must be, those that give it a meaning, and `first`, on the way to the aim."""
    if type_.is_one_of:
        return list(first) or list(type_.fields)[:1]
    also = () if first else ALSO.get(type_.name, ())
    return [
        name for name, field in type_.fields.items() if is_required_input_field(field) or name in first or name in also
    ]


def kind_of(owner: str, name: str) -> Kind:
    """The kind of thing that a field of this name wants."""
    for key in (f"{owner}.{name}", name):
        if key in KINDS:
            return KINDS[key]
    stem = owner if name == "id" else name.removesuffix("s").removesuffix("Id")
    title = stem[:1].upper() + stem[1:]
    assert title in Kind.__members__.values(), f"add {owner}.{name} to KINDS of tests/walks/inputs.py"
    return Kind(title)
