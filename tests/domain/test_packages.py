"""Names, versions and digests of packages; which findings block."""

import pytest

from windtunnel.domain.failures import Severity
from windtunnel.domain.packages import PackageCheck, is_digest, is_name, is_version


@pytest.mark.parametrize(
    "version",
    [
        "0.0.4",
        "1.2.3",
        "10.20.30",
        "1.1.2-prerelease+meta",
        "1.1.2+meta-valid",
        "1.0.0-alpha.beta.1",
        "1.0.0-alpha0.valid",
        "1.0.0-rc.1+build.1",
        "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
        "1.0.0-0A.is.legal",
        "99999999999999999999999.999999999999999999.99999999999999999",
    ],
)
def test_exact_versions(version: str) -> None:
    assert is_version(version)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1.2", "1.2.3.4", "1.2.3-0123", "1.2.3-", "1.2.3+", "01.1.1", "1.01.1", "-1.0.3", "1.2.3-a..b"),
        *("1.0.0\n", "v1.0.0", "1.0.x", "^1.0.0", "1.1.2+.123", "1.0.0 ", "١.0.0", "1.0.0-" + "a" * 100),
    ],
)
def test_what_is_no_exact_version(text: str) -> None:
    assert not is_version(text)


def test_names() -> None:
    assert all(is_name(name) for name in ("acme/triage", "a/b", "0/1", "a-b/c-d", f"{'a' * 63}/{'b' * 63}"))
    wrong = ("acme", "acme/", "/a", "a/b/c", "A/b", "a_b/c", "-a/b", "a-/b", f"{'a' * 64}/b", "a/b\n", "a /b", "ä/b")
    assert not any(is_name(name) for name in wrong)


def test_digests() -> None:
    assert is_digest("0123456789abcdef" * 4)
    assert not any(is_digest(text) for text in ("", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n"))


@pytest.mark.parametrize(
    ("severity", "blocks"),
    [(Severity.LOW, False), (Severity.MEDIUM, False), (Severity.HIGH, True), (Severity.CRITICAL, True)],
)
def test_what_did_not_pass_and_is_severe_blocks(severity: Severity, blocks: bool) -> None:
    assert PackageCheck("CODE", passed=False, severity=severity).blocks is blocks
    assert not PackageCheck("CODE", passed=True, severity=severity).blocks
