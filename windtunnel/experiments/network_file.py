"""The network file of `windtunnel experiment --network`: nodes, links and where work enters, in JSON."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic import ValidationError as PydanticError
from pydantic_core import from_json

from windtunnel.domain.architectures import Architecture, Distribution, ServiceTime, architecture_from_json
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.networks import validate
from windtunnel.experiments.from_architecture import model_of
from windtunnel.experiments.model import Model, Place
from windtunnel.experiments.refusals import refusal
from windtunnel.experiments.soundness import check_model
from windtunnel.simulation.network import Node, Route
from windtunnel.simulation.resilience import HOUR_MS, Breaker, Fallback, NodeMode, Quota, WorkingHours

NODES_MAX = 512
LINKS_MAX = 8_192
YEAR_MS = 365 * 24 * HOUR_MS
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Milliseconds = Annotated[float, Field(ge=0, le=YEAR_MS)]
Share = Annotated[float, Field(ge=0, le=1)]
_CLOCK = r"^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$"


ClockTime = Annotated[str, StringConstraints(pattern=_CLOCK)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Service(_Part):
    """How long an attempt takes: mean in milliseconds, and coefficient of variation (lognormal only)."""

    dist: Distribution = Distribution.LOGNORMAL
    mean_ms: Milliseconds
    cv: Annotated[float, Field(ge=0, le=100)] = 0.8

    def time(self) -> ServiceTime:
        """As the engine knows it."""
        return ServiceTime(self.mean_ms, self.cv, self.dist)


class BreakerEntry(_Part):
    """A circuit breaker with other numbers than the usual ones."""

    window: Annotated[int, Field(ge=1, le=10_000)] = 20
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    open_ms: Milliseconds = 30_000.0


class FallbackEntry(_Part):
    """What answers instead when a visit gives up."""

    service: Service
    failure_probability: Share = 0.0


class HoursEntry(_Part):
    """When people work, e.g. `{"opens": "09:00", "closes": "17:00", "days": ["MON", "TUE"]}`."""

    opens: ClockTime = "09:00"
    closes: ClockTime = "17:00"
    days: Annotated[tuple[Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"], ...], Field(min_length=1)] = (
        "MON",
        "TUE",
        "WED",
        "THU",
        "FRI",
    )
    overtime: bool = False

    def working(self) -> WorkingHours:
        """As the engine knows them."""
        days = tuple(sorted({DAYS.index(day) for day in self.days}))
        return WorkingHours(_clock_ms(self.opens), _clock_ms(self.closes), days, self.overtime)


class NodeEntry(_Part):
    """A node: what is meant by each key is said at `windtunnel.simulation.nodes.Node`."""

    key: Key
    service: Service
    servers: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    failure_probability: Share = 0.0
    timeout_ms: Annotated[float, Field(gt=0, le=YEAR_MS)] | None = None
    max_attempts: Annotated[int, Field(ge=1, le=30)] = 1
    backoff_ms: Milliseconds = 0.0
    jitter: Share = 0.0
    retry_budget: Annotated[float, Field(ge=0, le=100)] | None = None
    circuit_breaker: bool | BreakerEntry = False
    fallback: FallbackEntry | None = None
    mode: NodeMode = NodeMode.ROUTE
    join: Annotated[int, Field(ge=1, le=NODES_MAX)] | Literal["all"] | None = None
    hours: HoursEntry | None = None
    quota: Key | None = None
    tokens: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    input_tokens: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    output_tokens: Annotated[float, Field(ge=0, le=1e9)] = 0.0


class LinkEntry(_Part):
    """A link: the share of work that takes it."""

    source: Key
    target: Key
    probability: Share = 1.0


class QuotaEntry(_Part):
    """A bucket of tokens that nodes share."""

    key: Key
    tokens_per_minute: Annotated[float, Field(ge=1e-3, le=1e12)]
    burst: Annotated[float, Field(ge=1e-3, le=1e12)] | None = None
    waits: bool = False


class NetworkFile(_Part):
    """The whole file. `begins` is the time of the week at which simulated time begins, e.g. `MON 09:00`."""

    nodes: Annotated[tuple[NodeEntry, ...], Field(min_length=1, max_length=NODES_MAX)]
    links: Annotated[tuple[LinkEntry, ...], Field(max_length=LINKS_MAX)] = ()
    entry: Annotated[tuple[Key, ...], Field(min_length=1, max_length=NODES_MAX)]
    quotas: Annotated[tuple[QuotaEntry, ...], Field(max_length=NODES_MAX)] = ()
    begins: Annotated[
        str, StringConstraints(pattern=r"^(?:MON|TUE|WED|THU|FRI|SAT|SUN) (?:[01]\d|2[0-3]):[0-5]\d$")
    ] = "MON 09:00"


def read_network(data: str | bytes) -> Model:
    """The model that a network file describes, or an architecture as `simulate --out` and `calibrate -o` write it.

    Raises ValidationError, with the path to the value to blame and what is allowed there.
    """
    if (drawn := architecture_in(data)) is not None:
        return model_of(drawn)
    try:
        file = NetworkFile.model_validate_json(data)
    except PydanticError as error:
        raise refusal(error, ("network",), NetworkFile) from None
    arrivals = {node.key: sum(link.target == node.key for link in file.links) for node in file.nodes}
    model = Model(
        places=tuple(
            Place(_node(node, arrivals[node.key]), node.key, node.key, node.input_tokens, node.output_tokens)
            for node in file.nodes
        ),
        routes=tuple(Route(link.source, link.target, link.probability) for link in file.links),
        entry=file.entry,
        quotas=tuple(Quota(one.key, one.tokens_per_minute, one.burst, one.waits) for one in file.quotas),
        begins_ms=DAYS.index(file.begins[:3]) * 24 * HOUR_MS + _clock_ms(file.begins[4:]),
    )
    check_model(model)
    return model


def architecture_in(data: str | bytes) -> Architecture | None:
    """The architecture in the file, when it is one. Raises ValidationError when it is one that is not valid."""
    try:
        given = from_json(data)
    except ValueError:
        return None  # told by who reads network files
    if not (isinstance(given, dict) and "agents" in given and "nodes" not in given):
        return None
    try:
        drawn = architecture_from_json(data)
        problems = validate(drawn)
    except ValueError:
        problems = ["It does not have the form of one."]
    if problems:
        raise ValidationError(f"The architecture is not valid. {problems[0]}", rule="architecture", path=("network",))
    return drawn


def _node(entry: NodeEntry, arrivals: int) -> Node:
    breaker = entry.circuit_breaker
    return Node(
        key=entry.key,
        service=entry.service.time(),
        servers=entry.servers,
        failure_probability=entry.failure_probability,
        timeout_ms=entry.timeout_ms,
        max_attempts=entry.max_attempts,
        backoff_ms=entry.backoff_ms,
        jitter=entry.jitter,
        retry_budget=entry.retry_budget,
        breaker=Breaker(breaker.window, breaker.threshold, breaker.open_ms)
        if isinstance(breaker, BreakerEntry)
        else (Breaker() if breaker else None),
        fallback=None
        if entry.fallback is None
        else Fallback(entry.fallback.service.time(), entry.fallback.failure_probability),
        mode=entry.mode,
        join=max(1, arrivals) if entry.join == "all" else entry.join,
        hours=None if entry.hours is None else entry.hours.working(),
        quota=entry.quota,
        tokens=entry.tokens,
    )


def _clock_ms(clock: str) -> float:
    hours, minutes = clock.split(":")
    return (int(hours) + int(minutes) / 60) * HOUR_MS
