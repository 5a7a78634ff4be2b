"""Who takes part in the pipeline of a cluster, and what they try."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.promises.pipeline import FINDING, REASON


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the tenant acme, by one of their tokens."""

    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


class People(NamedTuple):
    """Everybody who has a part in it."""

    dev: Person
    reviewers: list[Person]
    operators: list[Person]
    admin: Person
    auditor: Person


class Attempt(NamedTuple):
    """A mutation that somebody asks for."""

    who: Person
    verb: str
    given: dict[str, Any]


def approval(who: Person, deployment: Any, **given: Any) -> Attempt:
    reviewed = {"deploymentId": deployment["id"], "reviewedDigest": deployment["package"]["digest"]}
    return Attempt(who, "approveDeployment", reviewed | given)


def rejection(who: Person, deployment: Any) -> Attempt:
    given = {"deploymentId": deployment["id"], "reason": REASON, "findings": [FINDING]}
    return Attempt(who, "rejectDeployment", given)


def counted(actions: Sequence[str], *names: str) -> list[int]:
    return [actions.count(name) for name in names]
