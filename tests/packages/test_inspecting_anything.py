"""Whatever is in the files: looking into them ends with an answer, and secrets are in none."""

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.packages.inspections import inspected, with_files
from tests.packages.malice import CODE
from windtunnel.packages.codes import Code

SECRET = "AKIA" + "QWERTYUIOPASDFGH"
NAMES = st.sampled_from(
    ["a.py", "b/c.py", "data.txt", "settings.yaml", "agent-card.json", "sbom.cdx.json", "start", "x.bin"]
)
SNIPPETS = st.sampled_from([text for text, _, _ in CODE.values()])
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(SNIPPETS, max_size=3).map(lambda parts: "".join(parts).encode()),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=4), st.binary(max_size=40))
def test_any_files_are_looked_into(files: dict[str, bytes], around: bytes) -> None:
    planted = files | {"planted.txt": around + b"\n" + SECRET.encode() + b"\n" + around}
    with TemporaryDirectory() as directory:
        found = asyncio.run(inspected(Path(directory), with_files(planted)))
    codes = {check.code for check in found.checks}
    assert Code.CHECK_FAILED not in codes
    assert Code.SECRET_FOUND in codes
    assert SECRET not in repr(found.checks)
    assert all(check.remediation for check in found.checks if not check.passed)
