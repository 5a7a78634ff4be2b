"""Archives that nobody designed: the check answers to whatever is changed, and what passes has one meaning for all."""

import random
import tracemalloc
import zipfile
from io import BytesIO

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.packages.archives import STORED, Part, archive, deflated, described
from tests.packages.world import FILES, checked, manifest, package, parts, raw
from windtunnel.packages.checking import identify
from windtunnel.packages.contents import unpacked

PACKAGES = [
    package(),
    archive([described(part) for part in parts()]),
    archive([Part(part.name, part.content, STORED) for part in parts()]),
]
MIB = 1024 * 1024


def agrees_with_python(data: bytes) -> None:
    """What passes is the same to the reader that comes with Python, name by name and byte by byte."""
    found = checked(data)
    identify(BytesIO(data))
    if not found.passed:
        return
    assert found.manifest
    with zipfile.ZipFile(BytesIO(data)) as theirs:
        assert theirs.namelist() == [entry.path for entry in found.entries]
        for entry in found.entries:
            assert theirs.read(entry.path) == b"".join(unpacked(BytesIO(data), entry))
    assert found.manifest.files.keys() == {entry.path for entry in found.entries} - {"agent.json"}
    assert [theirs_ for theirs_ in FILES if theirs_ not in found.manifest.files] == []


@given(data=st.data(), which=st.sampled_from(range(len(PACKAGES))))
@settings(max_examples=150, deadline=None)
def test_changed_bytes(data: st.DataObject, which: int) -> None:
    whole = bytearray(PACKAGES[which])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    agrees_with_python(bytes(whole))


@given(data=st.data(), which=st.sampled_from(range(len(PACKAGES))))
@settings(max_examples=100, deadline=None)
def test_bytes_put_in_taken_out_or_moved(data: st.DataObject, which: int) -> None:
    whole = PACKAGES[which]
    begin, end, at = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 3)))
    changed = data.draw(
        st.sampled_from(
            [
                whole[:begin] + whole[end:],
                whole[:begin] + whole[begin:end] * 2 + whole[end:],
                whole[:begin] + whole[end:at] + whole[begin:end] + whole[at:],
                whole[:begin] + data.draw(st.binary(max_size=40)) + whole[begin:],
            ]
        )
    )
    if changed != whole:
        assert not checked(changed).passed


@given(st.binary(max_size=400))
@example(b"PK\x05\x06" + bytes(18))
@settings(max_examples=100, deadline=None)
def test_any_bytes(data: bytes) -> None:
    assert not checked(data).passed
    assert identify(BytesIO(data)) == (None, None)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_manifest(data: bytes) -> None:
    assert not checked(raw(data)).passed


@given(st.binary(max_size=3_000), st.integers(1, 9), st.binary(max_size=20))
@settings(max_examples=60, deadline=None)
def test_whatever_is_packed_comes_out_again(content: bytes, level: int, more: bytes) -> None:
    files = {"health.py": content * level, "triage/main.py": more}
    found = checked(package(files))
    assert found.passed
    with BytesIO(package(files)) as file:
        assert {entry.path: b"".join(unpacked(file, entry)) for entry in found.entries[1:]} == files


def test_every_single_bit_counts() -> None:
    """But for what no reader goes by: which version made it, what DOS thinks of it, and who may write to it."""
    whole = package({"health.py": b"", "triage/main.py": b"x"})
    silent = []
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 0xFF
        if checked(bytes(changed)).passed:
            silent.append(at)
    assert min(silent) > whole.index(b"PK\x01\x02"), "no byte of the entries themselves is silent"
    assert len(silent) <= 3 * 6


def test_memory_does_not_grow_with_what_is_unpacked() -> None:
    block = random.Random(7).randbytes(1024) + bytes(50 * 1024)  # packs well, and is no bomb
    big = block * (32 * MIB // len(block))
    files = dict(FILES) | {f"data/{number}.bin": big for number in range(4)}
    packed = deflated(big)
    rows = manifest(files)
    data = archive(
        [
            *parts(FILES, files=rows["files"]),
            *(Part(f"data/{number}.bin", big, data=packed) for number in range(4)),
        ]
    )
    del files
    tracemalloc.start()
    found = checked(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.passed
    assert peak < len(data) + 4 * MIB, "the archive itself is in memory here, and nothing else"


def test_memory_is_bounded_whatever_the_manifest_says() -> None:
    worst = {
        "keys": b"{" + b",".join(b'"k%05d":1' % number for number in range(19_000)) + b"}",
        "files": b'{"files":{' + b",".join(b'"%05d":{}' % number for number in range(9_900)) + b"}}",
        "lists": b"[" * 19_000,
        "nested": b'{"_meta":{"a.b":' + b"[" * 19_000 + b"]" * 19_000 + b"}}",
        "empty lists": b'{"_meta":{"a.b":[' + b"[]," * 9_900 + b"1]}}",
        "text": b'{"title":"' + b"x" * 2_000_000 + b'"}',
        "commas": b"," * 2_000_000,
    }
    for name, data in worst.items():
        whole = raw(data)
        tracemalloc.start()
        found = checked(whole)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert not found.passed
        assert len(found.checks) <= 210
        assert peak < 64 * MIB, name
