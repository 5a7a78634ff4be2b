"""The legal transitions of a deployment: the one table that the code asks, the tests walk and the database repeats."""

from windtunnel.domain.deployments import DeploymentStatus as S

TRANSITIONS: dict[S, frozenset[S]] = {
    S.SUBMITTED: frozenset({S.VALIDATING, S.WITHDRAWN}),
    S.VALIDATING: frozenset({S.SUBMITTED, S.INVALID, S.IN_REVIEW, S.WITHDRAWN}),
    S.INVALID: frozenset(),
    S.IN_REVIEW: frozenset({S.REJECTED, S.EXPIRED, S.WITHDRAWN, S.APPROVED, S.HELD}),
    S.REJECTED: frozenset(),
    S.EXPIRED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.APPROVED: frozenset({S.DEPLOYING, S.HELD, S.LAPSED}),
    S.HELD: frozenset({S.APPROVED, S.DEPLOY_FAILED, S.LAPSED}),
    S.DEPLOYING: frozenset({S.LIVE, S.DEPLOY_FAILED, S.HELD}),
    S.DEPLOY_FAILED: frozenset({S.DEPLOYING, S.HELD, S.LAPSED}),
    S.LIVE: frozenset({S.RETIRED, S.ROLLED_BACK}),
    S.RETIRED: frozenset({S.LIVE}),
    S.ROLLED_BACK: frozenset({S.LIVE}),
    S.LAPSED: frozenset(),
}
"""SUBMITTED again: whoever validated it died. HELD to DEPLOY_FAILED: it was that before it was held."""


def sources(target: S) -> frozenset[S]:
    """From where a deployment may become `target`."""
    return frozenset(source for source, targets in TRANSITIONS.items() if target in targets)
