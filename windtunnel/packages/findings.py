"""Findings as they gather: as many as somebody will read, and never more than fit into memory."""

from windtunnel.domain.failures import Severity
from windtunnel.domain.packages import PackageCheck
from windtunnel.packages.codes import Code, Passed
from windtunnel.packages.paths import shown
from windtunnel.packages.rules import RULES

KEPT = 200
DETAIL_MAX_CHARS = 500


class Findings:
    """What is wrong with one package so far. Those above KEPT are only counted."""

    def __init__(self) -> None:
        self.number = 0
        self._kept: list[PackageCheck] = []
        self._left_out_blocks = False

    def add(self, code: Code, detail: str, path: str | None = None, line: int | None = None) -> None:
        """Note a finding; `path` may be anything that stood in the archive."""
        rule = RULES[code]
        self.number += 1
        check = PackageCheck(
            code=code.value,
            passed=False,
            severity=rule.severity,
            path=None if path is None else shown(path),
            line=line,
            detail=detail[:DETAIL_MAX_CHARS],
            remediation=rule.remediation,
        )
        if len(self._kept) < KEPT:
            self._kept.append(check)
        else:
            self._left_out_blocks |= check.blocks

    @property
    def block(self) -> bool:
        """Whether one of them keeps the package from being deployed."""
        return self._left_out_blocks or any(check.blocks for check in self._kept)

    @property
    def checks(self) -> tuple[PackageCheck, ...]:
        """All of them, the last one telling of those that were left out."""
        if (left_out := self.number - len(self._kept)) == 0:
            return tuple(self._kept)
        more = PackageCheck(
            code=Code.MORE_FINDINGS.value,
            passed=False,
            severity=Severity.HIGH if self._left_out_blocks else Severity.LOW,
            detail=f"There are {left_out:,} more findings.",
            remediation=RULES[Code.MORE_FINDINGS].remediation,
        )
        return (*self._kept, more)


def passed(code: Passed, detail: str) -> PackageCheck:
    """A check that found nothing."""
    return PackageCheck(code=code.value, passed=True, severity=Severity.LOW, detail=detail)
