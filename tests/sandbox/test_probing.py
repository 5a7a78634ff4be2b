"""The twelve probes: denied where that is claimed, not enforced where it is not, and allowed when a wall has a hole."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.house import sandbox
from windtunnel.domain.isolation import Isolation, IsolationLevel, Mechanism, Probe, ProbeOutcome, claimed
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.probing import Targets, probe

EVERYTHING_ELSE = {
    Probe.READ_OTHER_ENVIRONMENT,
    Probe.READ_PRODUCTION,
    Probe.WRITE_OUTSIDE,
    Probe.LIST_PROCESSES,
    Probe.SIGNAL_PARENT,
    Probe.REACH_API,
    Probe.REACH_ADDRESS,
    Probe.SEND_DATAGRAM,
    Probe.BIND_PORT,
    Probe.REACH_HOST_IPC,
    Probe.GAIN_PRIVILEGES,
}
"""What code can do that nothing keeps in. Its parent's variables are its own secret even then, if that is root's."""


async def _outcomes(root: Path, isolation: Isolation, targets: Targets = Targets()) -> dict[Probe, ProbeOutcome]:  # noqa: B008
    results = await probe(sandbox(root, isolation), targets)
    assert [result.probe for result in results] == list(Probe)
    assert all(result.detail for result in results)
    return {result.probe: result.outcome for result in results}


async def test_what_is_claimed_is_denied_and_nothing_is_allowed(tmp_path: Path, isolation: Isolation) -> None:
    outcomes = await _outcomes(tmp_path / "environment", isolation)
    assert {one for one, outcome in outcomes.items() if outcome is not ProbeOutcome.DENIED}.isdisjoint(
        claimed(isolation)
    )
    assert ProbeOutcome.ALLOWED not in outcomes.values()


async def test_at_full_all_twelve_are_denied(tmp_path: Path, best: Isolation) -> None:
    assert len(Probe) == 12
    if best.level is not IsolationLevel.FULL:  # this host cannot, and says so
        assert any("Refused" in sentence or "none" in sentence for sentence in best.details.values())
        return
    outcomes = await _outcomes(tmp_path / "environment", best)
    assert outcomes == dict.fromkeys(Probe, ProbeOutcome.DENIED)


async def test_landlock_alone_owns_up_to_datagrams_and_sockets_in_directories(tmp_path: Path, best: Isolation) -> None:
    alone = replace(best, level=IsolationLevel.LANDLOCK, mechanisms=frozenset({Mechanism.LANDLOCK}))
    if best.landlock_abi < 6:  # an old kernel owns up to more
        assert Probe.SIGNAL_PARENT not in claimed(alone)
        return
    outcomes = await _outcomes(tmp_path / "environment", alone)
    not_enforced = {one for one, outcome in outcomes.items() if outcome is ProbeOutcome.NOT_ENFORCED}
    assert not_enforced == {Probe.SEND_DATAGRAM, Probe.REACH_HOST_IPC}


async def test_without_any_wall_the_probes_succeed_and_nobody_claims_otherwise(tmp_path: Path) -> None:
    """That they do proves the denials elsewhere: they are not denials of something that is not there."""
    outcomes = await _outcomes(tmp_path / "environment", Isolation(IsolationLevel.LOGICAL))
    assert {one for one, outcome in outcomes.items() if outcome is ProbeOutcome.NOT_ENFORCED} >= EVERYTHING_ELSE
    assert ProbeOutcome.ALLOWED not in outcomes.values()


async def test_a_wall_that_is_claimed_and_not_there_is_found_out(tmp_path: Path) -> None:
    outcomes = await _outcomes(tmp_path / "environment", Isolation(IsolationLevel.FULL))
    assert {one for one, outcome in outcomes.items() if outcome is ProbeOutcome.ALLOWED} >= EVERYTHING_ELSE


async def test_production_within_what_every_program_may_read_is_found_out(tmp_path: Path, isolation: Isolation) -> None:
    production = tmp_path / "production"
    production.mkdir(mode=0o755)
    leaky = replace(sandbox(tmp_path / "environment", isolation), ro_paths=(production,))
    results = {result.probe: result for result in await probe(leaky, Targets(production=(production,)))}
    if Probe.READ_PRODUCTION in claimed(isolation):
        assert results[Probe.READ_PRODUCTION].outcome is ProbeOutcome.ALLOWED


async def test_given_targets_are_tried_and_left_as_they_were(tmp_path: Path, isolation: Isolation) -> None:
    other, outside = tmp_path / "other", tmp_path / "outside"
    for directory in (other, outside):
        directory.mkdir(mode=0o700)
    (other / "data").write_text("secret")
    targets = Targets(others=(other / "data", other), production=(other,), outside=(outside,))
    outcomes = await _outcomes(tmp_path / "environment", isolation, targets)
    files = {Probe.READ_OTHER_ENVIRONMENT, Probe.READ_PRODUCTION, Probe.WRITE_OUTSIDE} & claimed(isolation)
    assert {outcomes[one] for one in files} <= {ProbeOutcome.DENIED}
    assert list(outside.iterdir()) == []
    assert (other / "data").read_text() == "secret"
    assert [path.name for path in (tmp_path / "environment").iterdir() if path.name.startswith("decoy")] == []


async def test_probes_that_cannot_be_run_are_an_error(tmp_path: Path) -> None:
    broken = Isolation(
        IsolationLevel.FULL, frozenset({Mechanism.BUBBLEWRAP, Mechanism.LANDLOCK}), bubblewrap="/bin/false"
    )
    with pytest.raises(SandboxError):
        await probe(sandbox(tmp_path / "environment", broken), Targets())
