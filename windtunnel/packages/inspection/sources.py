"""Python source, parsed and never run: what it uses, and what bandit has to say about it."""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from bandit.core.config import BanditConfig  # type: ignore[import-untyped]
from bandit.core.meta_ast import BanditMetaAst  # type: ignore[import-untyped]
from bandit.core.metrics import Metrics  # type: ignore[import-untyped]
from bandit.core.node_visitor import BanditNodeVisitor  # type: ignore[import-untyped]
from bandit.core.test_set import BanditTestSet  # type: ignore[import-untyped]

from windtunnel.packages.codes import Code
from windtunnel.packages.findings import Findings
from windtunnel.packages.inspection.uses import Uses

SOURCE_MAX_BYTES = 256 * 1024
"""Parsed, source takes up to 400 times its size."""

_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\U000e0000-\U000e007f]")
_RISKS: dict[Code, tuple[str, tuple[str, ...]]] = {
    Code.CODE_SHELL: ("It starts a shell", ("B602", "B604", "B605", "B609")),
    Code.CODE_UNVERIFIED_TLS: (
        "It talks to hosts without making sure of them",
        ("B323", "B501", "B502", "B503", "B504", "B507", "B508", "B509"),
    ),
    Code.CODE_DESERIALISES: (
        "It reads a format that can run code",
        ("B301", "B302", "B403", "B506", "B614", "B615", "B202"),
    ),
    Code.CODE_INJECTION: (
        "It joins values into a text that something else interprets",
        ("B608", "B610", "B611", "B701", "B702", "B703", "B704"),
    ),
    Code.CODE_WEAK_CRYPTOGRAPHY: (
        "It uses cryptography or randomness that is weak",
        ("B303", "B304", "B305", "B311", "B324", "B413", "B505"),
    ),
    Code.CODE_XML: (
        "It parses XML without protection",
        (*(f"B{number}" for number in range(313, 321)), *(f"B{number}" for number in range(405, 412))),
    ),
    Code.CODE_EXPOSES: ("It can be reached or changed by others", ("B103", "B104", "B108", "B201", "B612")),
}
_CODES = {test: (code, said) for code, (said, tests) in _RISKS.items() for test in tests}
_TOLD_OTHERWISE = frozenset(
    {
        "B101", "B102", "B105", "B106", "B107", "B110", "B112", "B113", "B307", "B309", "B310", "B312", "B321", "B401",
        "B402", "B404", "B412", "B415", "B603", "B606", "B607", "B613",
    }
)  # fmt: skip
"""Secrets, declared powers, hidden text: other checks say more about them. Asserts and empty handlers are no risk."""


def read_source(path: str, data: bytes, findings: Findings) -> Uses | None:
    """What a module uses; None when it cannot be read, which is a finding, as is what it does that is risky."""
    if len(data) > SOURCE_MAX_BYTES:
        findings.add(Code.CODE_UNREADABLE, f"The source has {len(data):,} bytes.", path)
        return None
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if encoding not in {"utf-8", "utf-8-sig", "ascii"}:
            findings.add(Code.CODE_UNREADABLE, "The source says that it is not UTF-8.", path, 1)
            return None
        text = data.decode(encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, path)
            uses = Uses(tree)
            issues = sorted(_issues(path, data, tree))
    except SyntaxError as error:  # also of an encoding that nobody knows
        findings.add(Code.CODE_UNREADABLE, "The source is not Python.", path, error.lineno)
        return None
    except (ValueError, RecursionError, MemoryError):
        findings.add(Code.CODE_UNREADABLE, "The source cannot be parsed: NUL, not UTF-8, or nested too deeply.", path)
        return None
    for hidden in _HIDDEN.finditer(text):
        line = text.count("\n", 0, hidden.start()) + 1
        findings.add(Code.CODE_HIDDEN_TEXT, f"There is a U+{ord(hidden[0]):04X}, which cannot be seen.", path, line)
    for line, test in issues:
        code, said = _CODES.get(test, (Code.CODE_RISK, "It does something risky"))
        findings.add(code, f"{said} (bandit {test}).", path, line)
    return uses


def _issues(path: str, data: bytes, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Where bandit found what, by the number of its rule. Comments cannot silence it; its words may quote secrets."""
    visitor = _Visitor(path, io.BytesIO(data), BanditMetaAst(), _tests(), False, {}, _Silent())
    visitor.generic_visit(tree)
    for issue in visitor.tester.results:
        yield issue.lineno, issue.test_id


class _Visitor(BanditNodeVisitor):  # type: ignore[misc]
    """Looks at the nodes for which there are rules, and adds up nothing: the rest would take most of the time."""

    def pre_visit(self, node: ast.AST) -> bool:
        """Gather what the rules want to know of a node; True, to go on into it."""
        if _matters(type(node).__name__):
            super().pre_visit(node)
        else:
            self.depth += 1
        return True

    def visit(self, node: ast.AST) -> None:
        """Apply the rules to a node."""
        if _matters(type(node).__name__):
            super().visit(node)

    def update_scores(self, scores: object) -> None:
        """Not counted."""


class _Silent(Metrics):  # type: ignore[misc]
    """Counts nothing: only findings are wanted."""

    def note_skipped_test(self) -> None:
        """Not counted."""

    def note_nosec(self, num: int = 1) -> None:
        """Not counted."""


@cache
def _matters(kind: str) -> bool:
    """Whether there are rules for nodes of this kind."""
    return hasattr(_Visitor, f"visit_{kind}") or bool(_tests().get_tests(kind))


@cache
def _tests() -> Any:
    return BanditTestSet(BanditConfig(), {"exclude": sorted(_TOLD_OTHERWISE), "include": []})
