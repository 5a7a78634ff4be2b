"""Production, and configuring it."""

from typing import Self

import strawberry

from resolvers import agents
from schema.agent_versions import AgentVersion
from schema.fields import resolved
from schema.info import Info, given
from schema.payloads import Payload
from windtunnel.domain import production as domain
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.production import Snapshot


@strawberry.type(description="An entry of production's configuration. The value of a secret is never shown.")
class ConfigurationEntry:
    """Shows `production.Entry`."""

    key: str = strawberry.field(description="Its name.")
    value: str | None = strawberry.field(description="Its value; null for a secret.")
    secret: bool = strawberry.field(description="Whether it is a secret: kept sealed, and shown to nobody.")

    @classmethod
    def of(cls, entry: domain.Entry) -> Self:
        """The entry as data."""
        return cls(key=entry.key, value=entry.value, secret=entry.secret)


@strawberry.type(description="What runs in production now.")
class Production:
    """Shows `production.Snapshot`."""

    revision: int = strawberry.field(
        description="Rises by one with each change of the configuration; 0 before the first."
    )
    configuration: list[ConfigurationEntry] = strawberry.field(description="The entries, by key: at most 500.")

    @resolved("The versions that are in production, one of each agent that has any, by their agents' slugs.")
    async def versions(self, info: Info) -> list[AgentVersion]:
        """Read when asked for."""
        return [AgentVersion.of(each) for each in await agents.live_versions(info.context)]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """The configuration as data."""
        return cls(
            revision=snapshot.revision, configuration=[ConfigurationEntry.of(entry) for entry in snapshot.entries]
        )


@strawberry.input(description="An entry to set.")
class ConfigurationEntryInput:
    """One of `set` of `configureProduction`."""

    key: str = strawberry.field(
        description="Its name: 1 to 200 letters, digits, dots, hyphens and underscores, a letter first."
    )
    value: str = strawberry.field(description="Its value, at most 64 KiB in UTF-8.")
    secret: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether it is a secret; as it was when absent, and false for a new entry. "
        "What is a secret is shown in clear only with another value.",
    )

    def request(self) -> EntryRequest:
        """The entry as plain values."""
        return EntryRequest(self.key, self.value, given(self.secret))


@strawberry.input(description="What to change in production's configuration; all of it is done at once, or nothing.")
class ConfigureProductionInput:
    """The input of `configureProduction`."""

    set: list[ConfigurationEntryInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Entries to add or to change; those not named stay as they are."
    )
    unset: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Keys of entries to remove; those that are not there are no error."
    )
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same key and input change nothing a second time, for 24 hours, whatever happened meanwhile.",
    )

    def wanted(self) -> list[EntryRequest]:
        """The entries to set as plain values."""
        return [entry.request() for entry in given(self.set) or ()]


@strawberry.type(description="Outcome of `configureProduction`.")
class ConfigureProductionPayload(Payload):
    """Production, or why nothing was changed."""

    production: Production | None = strawberry.field(default=None, description="Production, as it is now.")
