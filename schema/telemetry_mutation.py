"""Sending simulated telemetry to where the operator wants it."""

from typing import Annotated, Self

import strawberry

from schema.fields import mutation
from schema.ids import Kind, demand
from schema.info import Info
from schema.payloads import Payload
from schema.simulations import Simulation
from windtunnel.domain.permissions import Action
from windtunnel.operations.export_telemetry import Sent, export_telemetry


@strawberry.input(description="Which run's telemetry to send.")
class ExportTelemetryInput:
    """The input of `exportTelemetry`."""

    simulation_id: strawberry.ID = strawberry.field(description="One that is over.")


@strawberry.type(description="What was sent to the collector.")
class TelemetryExport:
    """Shows `export_telemetry.Sent`."""

    simulation: Simulation = strawberry.field(description="The run whose telemetry was sent.")
    spans: int = strawberry.field(description="Spans sent.")
    metrics: int = strawberry.field(description="Metrics sent.")
    log_records: int = strawberry.field(description="Log records sent.")
    rejected: list[str] = strawberry.field(description="What the collector did not want, in its own words.")

    @classmethod
    def of(cls, sent: Sent) -> Self:
        """What was sent as data."""
        return cls(
            simulation=Simulation.of(sent.simulation),
            spans=sent.spans,
            metrics=sent.metrics,
            log_records=sent.log_records,
            rejected=list(sent.rejected),
        )


@strawberry.type(description="Outcome of `exportTelemetry`.")
class ExportTelemetryPayload(Payload):
    """What was sent, or why nothing was."""

    sent: TelemetryExport | None = strawberry.field(default=None, description="What the collector took.")


@strawberry.type(description="What can be done with the telemetry of runs.")
class TelemetryMutation:
    """One field for each verb."""

    @mutation(
        Action.EXPORT_TELEMETRY,
        "Send the simulated traces, metrics and logs of a run to the collector that the operator has set. "
        "Sent again, it is the same again: ids come from the seed.",
    )
    async def export_telemetry(
        self,
        info: Info,
        input: Annotated[ExportTelemetryInput, strawberry.argument(description="What to do, in full.")],
    ) -> ExportTelemetryPayload:
        """To no other address than the operator's."""
        raw = demand(Kind.SIMULATION, input.simulation_id, ("input", "simulation_id"))
        sent = await export_telemetry(info.context.services, info.context.signed_in(), raw)
        return ExportTelemetryPayload(sent=TelemetryExport.of(sent))
