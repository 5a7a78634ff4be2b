"""What `simulate` is asked for, and which requests are refused."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import (
    INJECTED_FAILURES_MAX,
    SEED_MAX,
    SIMULATION_MAX_PACE,
    SIMULATION_MIN_PACE,
)
from windtunnel.domain.scenarios import check_text
from windtunnel.domain.simulations import FailureInjection, SimulationStage
from windtunnel.knowledge import Book
from windtunnel.operations.idempotent import Asked, check_key

SEED_MIN = -SEED_MAX - 1
_HOW = ("wait_for", "idempotency_key")


@dataclass(frozen=True, slots=True)
class SimulateRequest:
    """Exactly one of `text`, `scenario_id` and `architecture_id` says what to simulate; ids are raw.

    With a `package_digest` the network of that package is simulated, and the words are what it is put through.
    `pace` is in simulated seconds per real second, 0 for as fast as possible. `inject_failures` are codes of the book.
    """

    text: str | None = None
    scenario_id: str | None = None
    architecture_id: str | None = None
    environment_id: str | None = None
    package_digest: str | None = None
    seed: int | None = None
    pace: float = 0.0
    failures: FailureInjection = FailureInjection.AUTO
    inject_failures: Sequence[str] = ()
    wait_for: SimulationStage = SimulationStage.PLANNED
    idempotency_key: str | None = None


def check_request(request: SimulateRequest, book: Book) -> None:
    """Raise ValidationError for what makes no sense, whatever there is."""
    given = [request.text, request.scenario_id, request.architecture_id]
    if sum(value is not None for value in given) != 1:
        raise ValidationError(
            "Give exactly one of text, scenarioId and architectureId.", rule="one_of", path=("input", "scenario")
        )
    if request.text is not None:
        check_text(request.text)
    if request.package_digest is not None and request.architecture_id is not None:
        raise ValidationError(
            "A package brings its own network: give a scenario to put it through, and no architecture.",
            rule="package_with_architecture",
            path=("input", "scenario", "architecture_id"),
        )
    if request.seed is not None and not SEED_MIN <= request.seed <= SEED_MAX:
        raise ValidationError(
            f"The seed must be {SEED_MIN} to {SEED_MAX}.", rule="seed_out_of_range", path=("input", "seed")
        )
    if request.pace != 0 and not SIMULATION_MIN_PACE <= request.pace <= SIMULATION_MAX_PACE:  # NaN is neither
        raise ValidationError(
            f"The pace must be 0 (as fast as possible), or {SIMULATION_MIN_PACE} to {SIMULATION_MAX_PACE:,.0f} "
            "simulated seconds per second.",
            rule="pace_out_of_range",
            path=("input", "pace"),
        )
    _check_failures(request, book)
    check_key(request.idempotency_key)


def check_code(code: str, book: Book, path: Sequence[str]) -> None:
    """Raise ValidationError unless the book has a failure mode of this code."""
    if code not in book.definitions:
        shown = code if code.isprintable() and len(code) <= 80 else "That"
        raise ValidationError(
            f"{shown} is not the code of a failure mode. failureModeCatalogue lists them all.",
            rule="unknown_failure_code",
            path=path,
        )


def asked_for(request: SimulateRequest) -> Asked:
    """Equal for requests that ask for the same simulation, however they want to wait for it."""
    what = {name: value for name, value in asdict(request).items() if name not in _HOW}
    return Asked(Action.SIMULATE, request.idempotency_key, what)


def _check_failures(request: SimulateRequest, book: Book) -> None:
    path = ("input", "inject_failures")
    if len(request.inject_failures) > INJECTED_FAILURES_MAX:
        raise ValidationError(
            f"At most {INJECTED_FAILURES_MAX} failures can be listed.", rule="too_many_failures", path=path
        )
    for place, code in enumerate(request.inject_failures):
        check_code(code, book, (*path, str(place)))
    if request.inject_failures and request.failures is FailureInjection.NONE:
        raise ValidationError(
            "failures: NONE contradicts the failures listed. Leave one of the two out.",
            rule="failures_contradict",
            path=path,
        )
