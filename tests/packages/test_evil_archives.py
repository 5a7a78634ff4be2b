"""Archives that mean harm: each is refused with the finding that says why."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest

from tests.packages.archives import DEFLATED, PLAIN_FILE, STORED, Part, archive, described
from tests.packages.corpus import EVIL, central, extra, last
from tests.packages.world import FILES, checked, codes, faults, package, parts
from windtunnel.packages.checking import identify
from windtunnel.packages.codes import Code
from windtunnel.packages.rules import RULES


@pytest.mark.parametrize("name", EVIL)
def test_what_means_harm_is_refused(name: str) -> None:
    make, code = EVIL[name]
    data = make()
    found = checked(data)
    assert not found.passed
    assert code in faults(found)
    for check in found.checks:
        if not check.passed:
            rule = RULES[Code(check.code)]
            assert (check.severity, check.remediation) == (rule.severity, rule.remediation)
            assert check.detail
            assert check.path is None or check.path.isprintable()
    identify(BytesIO(data))


def test_the_package_itself_passes() -> None:
    found = checked(package())
    assert faults(found) == []
    assert [check.code for check in found.checks] == ["ARCHIVE_SOUND", "MANIFEST_VALID", "FILES_COMPLETE"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: archive([described(part) for part in parts()]),
        lambda: archive([described(part, signed=False) for part in parts()]),
        lambda: archive([replace(part, method=STORED) for part in parts()]),
        lambda: last(central={"extra": extra(0x5455, bytes(5))}, local={"extra": extra(0x5455, bytes(9))}),
        lambda: last(flags=2),
        lambda: central(made=0, attributes=0x20),
        lambda: central(attributes=PLAIN_FILE | 0o111 << 16),
    ],
)
def test_what_common_packers_write_passes(make: Callable[[], bytes]) -> None:
    assert checked(make()).passed


def test_what_is_not_canonical_is_said_and_passes() -> None:
    first, second, third = parts()
    for data in (
        archive([first, third, second]),
        last(local={"date": 0x5555}, central={"date": 0x5555}),
        central(attributes=0o100755 << 16),
    ):
        assert codes(data) == [Code.ARCHIVE_NOT_CANONICAL]
        assert checked(data).passed


def test_every_code_of_an_archive_is_provoked() -> None:
    provoked = {code for _, code in EVIL.values()} | {Code.ARCHIVE_NOT_CANONICAL}
    about = ("ARCHIVE_", "ENTRY_", "PATH_")
    assert provoked - {Code.MANIFEST_MISSING} == {code for code in Code if code.startswith(about)}


def test_many_findings_are_counted_and_few_are_told() -> None:
    found = checked(archive([Part(f"/{number}") for number in range(5_000)]))
    assert not found.passed
    assert len(found.checks) == 201
    assert found.checks[-1].code == "MORE_FINDINGS"
    assert found.checks[-1].detail
    assert found.checks[-1].blocks


def test_a_checksum_is_looked_at_beside_its_data() -> None:
    content = FILES["triage/main.py"]
    flipped = bytes([content[0] ^ 1]) + content[1:]
    assert Code.ENTRY_DAMAGED in codes(last(method=STORED, data=flipped))
    right = {"crc": zlib.crc32(flipped)}
    assert codes(last(method=STORED, data=flipped, local=right, central=right)) == [Code.FILE_DIFFERENT]


def test_deflated_means_deflated() -> None:
    assert Code.ENTRY_DAMAGED in codes(last(method=DEFLATED, data=FILES["triage/main.py"]))
