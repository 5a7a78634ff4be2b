"""Which simulations are wanted."""

from datetime import datetime

import strawberry

from schema.ids import Kind, raw_of
from schema.info import given
from windtunnel.domain.simulations import SimulationFilter as Wanted
from windtunnel.domain.simulations import SimulationStatus

NOTHING = "00000000-0000-0000-0000-000000000000"
"""An id that no stored thing has."""


@strawberry.input(description="Which simulations are wanted: all conditions hold together.")
class SimulationFilter:
    """Conditions on simulations."""

    scenario_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Those of this scenario."
    )
    environment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Those in this environment; without it, those that are in none."
    )
    statuses: list[SimulationStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Those in one of these states."
    )
    created_after: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Those accepted after this time."
    )
    created_before: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Those accepted before this time."
    )

    def wanted(self) -> Wanted:
        """The conditions as plain values; an id that names nothing matches nothing."""
        statuses = given(self.statuses)
        return Wanted(
            scenario_id=_raw(Kind.SCENARIO, given(self.scenario_id)),
            environment_id=_raw(Kind.ENVIRONMENT, given(self.environment_id)),
            statuses=None if statuses is None else frozenset(statuses),
            created_after=given(self.created_after),
            created_before=given(self.created_before),
        )


def _raw(kind: Kind, id: strawberry.ID | None) -> str | None:
    return None if id is None else raw_of(kind, id) or NOTHING
