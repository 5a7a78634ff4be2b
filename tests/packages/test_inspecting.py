"""What is found inside of packages: kinds of files, source against declaration, secrets, documents."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.operations.world import INSPECTOR
from tests.packages.inspections import inspected, places, right, with_files
from tests.packages.malice import ALLOWED_YET_EVIL, CODE, FILES_OF_KINDS, OPEN, SECRETS, code
from tests.packages.world import FILES, MANIFEST, package
from windtunnel.packages.building import build_package
from windtunnel.packages.codes import Code, Passed
from windtunnel.packages.inspecting import Inspector

TOLD_PER_FILE = 10


async def test_a_good_package_passes_and_says_what_was_looked_at(tmp_path: Path) -> None:
    found = await inspected(tmp_path, package())
    assert places(found) == []
    assert right(found) == {
        Passed.ARCHIVE_SOUND,
        Passed.MANIFEST_VALID,
        Passed.FILES_COMPLETE,
        Passed.CODE_READ,
        Passed.DECLARATION_KEPT,
        Passed.NO_SECRETS,
    }


async def test_the_example_passes(tmp_path: Path) -> None:
    built = build_package(Path("examples/triage"), tmp_path / "triage.agent.zip")
    found = await inspected(tmp_path, built.path.read_bytes())
    assert found.passed
    assert places(found) == []


@pytest.mark.parametrize("kind", FILES_OF_KINDS)
async def test_kinds_of_files_that_nobody_can_review_are_refused(tmp_path: Path, kind: str) -> None:
    path, content, expected = FILES_OF_KINDS[kind]
    found = await inspected(tmp_path, with_files({path: content}))
    assert (expected, path, None) in places(found)
    assert not found.passed
    (check,) = [check for check in found.checks if check.code == expected]
    assert len(check.remediation or "") > 40


@pytest.mark.parametrize("kind", CODE)
async def test_code_does_nothing_that_is_not_declared(tmp_path: Path, kind: str) -> None:
    text, expected, line = CODE[kind]
    found = await inspected(tmp_path, code(text))
    assert (expected, "triage/evil.py", line) in places(found)
    assert not found.passed


@pytest.mark.parametrize("kind", ALLOWED_YET_EVIL)
async def test_some_risks_are_refused_whatever_is_declared(tmp_path: Path, kind: str) -> None:
    text, expected, line = ALLOWED_YET_EVIL[kind]
    found = await inspected(tmp_path, code(text, permissions=OPEN))
    assert (expected, "triage/evil.py", line) in places(found)
    assert not found.passed


async def test_what_is_declared_is_allowed(tmp_path: Path) -> None:
    text = (
        "import os, socket, subprocess\n"
        "URL = 'https://api.example.net/v1'\n"
        "def f(p):\n    p.write_text(os.environ['API_TOKEN'])\n    subprocess.run(['ls'])\n"
    )
    found = await inspected(tmp_path, code(text, permissions=OPEN))
    assert found.passed
    assert places(found) == []
    assert Passed.DECLARATION_KEPT in right(found)


async def test_reviewers_hear_of_hosts_and_permissions_that_do_not_fit(tmp_path: Path) -> None:
    text = "import socket\nURL = 'https://elsewhere.example.net/v1'\n"
    found = await inspected(tmp_path, code(text, permissions=OPEN))
    assert found.passed
    assert places(found) == [
        (Code.NETWORK_ELSEWHERE, "triage/evil.py", 2),
        (Code.PERMISSION_UNUSED, "agent.json", None),
        (Code.PERMISSION_UNUSED, "agent.json", None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "from urllib.parse import quote\nimport json, re\nre.compile('x')\n",
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import socket\n",
        "import triage.main\nfrom . import main\nimport health\n",
        "import os\nos.getenv('TZ')\nos.path.join('a', 'b')\n",
        "open('table.json').read()\nopen('table.json', 'rb')\n",
        "def compile(x):\n    return x\ncompile(1)\n",
        "class A:\n    def exec(self):\n        self.exec()\n",
    ],
)
async def test_plain_code_is_left_alone(tmp_path: Path, text: str) -> None:
    assert places(await inspected(tmp_path, code(text))) == []


@pytest.mark.parametrize("kind", SECRETS)
async def test_secrets_are_found_by_file_and_line_and_never_told(tmp_path: Path, kind: str) -> None:
    path, line = SECRETS[kind]
    found = await inspected(tmp_path, with_files({path: f"# one\n# two\n{line}\n"}))
    assert (Code.SECRET_FOUND, path, 3) in places(found)
    assert not found.passed
    secret = line.rpartition("  #")[0] or line
    told = json.dumps([(check.detail, check.remediation, check.path) for check in found.checks])
    value = max(secret.replace("'", '"').replace("=", '"').replace(" ", '"').replace(",", '"').split('"'), key=len)
    assert value not in told
    assert Passed.NO_SECRETS not in right(found)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
async def test_secrets_are_found_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    text = "one\n" + SECRETS["aws"][1] + "\n"
    for data in (text.encode(encoding), b"\xff\xfe" + text.encode()):
        found = await inspected(tmp_path, with_files({"triage/notes.txt": data}))
        assert (Code.SECRET_FOUND, "triage/notes.txt", 2) in places(found)


async def test_what_only_looks_random_is_for_reviewers_to_judge(tmp_path: Path) -> None:
    found = await inspected(tmp_path, code("NOISE = 'Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1A='\n"))
    assert places(found) == [(Code.SECRET_SUSPECTED, "triage/evil.py", 1)]
    assert found.passed


async def test_a_secret_in_the_manifest_is_found(tmp_path: Path) -> None:
    found = await inspected(tmp_path, package(description="The key is AKIA" + "QWERTYUIOPASDFGH."))
    assert Code.SECRET_FOUND in {code for code, path, _ in places(found) if path == "agent.json"}


async def test_a_module_of_the_standard_library_is_not_taken_over_unseen(tmp_path: Path) -> None:
    found = await inspected(tmp_path, with_files({"json.py": "x = 1\n"}))
    assert (Code.MODULE_SHADOWS, "json.py", None) in places(found)


async def test_a_script_is_for_reviewers_to_read(tmp_path: Path) -> None:
    found = await inspected(
        tmp_path, with_files({"start": "#!/bin/sh\nls\n", "tool": "#!/usr/bin/python\neval('1')\n"})
    )
    assert places(found) == [(Code.FILE_SCRIPT, "start", None), (Code.CODE_DYNAMIC, "tool", 2)]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000 + ")" * 100_000,
        "-" * 200_000 + "1",
        "x = " + "[" * 5_000,
        "a" + ".b" * 50_000,
        "\0",
        "x = 1\n" * 200_000,
    ],
    ids=["parentheses", "signs", "brackets", "attributes", "nul", "long"],
)
async def test_source_that_breaks_parsers_is_a_finding(tmp_path: Path, text: str) -> None:
    found = await inspected(tmp_path, code(text))
    assert not found.passed
    assert {each for each, _, _ in places(found)} <= {Code.CODE_UNREADABLE, Code.CHECK_FAILED}


async def test_one_file_does_not_hide_the_others(tmp_path: Path) -> None:
    found = await inspected(tmp_path, with_files({"a.py": "eval('1')\n" * 500, "z.pkl": b"x"}))
    assert len([1 for each, _, _ in places(found) if each == Code.CODE_DYNAMIC]) == TOLD_PER_FILE
    assert (Code.FILE_SERIALISED, "z.pkl", None) in places(found)


async def test_nothing_of_a_package_runs(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    evil = f"import os\nos.mkdir({str(witness)!r})\n"
    names = ("sitecustomize.py", "json.py", "triage/__init__.py", "conftest.py", "evil.pth", "bandit.py")
    await inspected(tmp_path, with_files(dict.fromkeys(names, evil)))
    assert not witness.exists()


async def test_a_process_that_died_is_replaced(tmp_path: Path) -> None:
    own = Inspector()
    path = tmp_path / "good.agent.zip"
    path.write_bytes(package())
    try:
        with path.open("rb") as file:
            assert (await own.inspect(file)).passed
            assert own._process is not None
            own._process.kill()
            own._process.wait()
            assert Passed.CODE_READ in right(await own.inspect(file))
    finally:
        own.close()
    own.close()


async def test_many_are_looked_into_at_once(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"{number}.agent.zip")
        paths[-1].write_bytes(code("eval('1')\n" * number or "x = 1\n"))

    async def one(path: Path) -> int:
        with path.open("rb") as file:
            found = await INSPECTOR.inspect(file)
        return len([check for check in found.checks if check.code == Code.CODE_DYNAMIC])

    assert await asyncio.gather(*map(one, paths)) == [min(number, TOLD_PER_FILE) for number in range(12)]
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # noqa: PTH208


async def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    found = await inspected(tmp_path, package({**FILES, "zeros.txt": bytes(20_000_000)}))
    assert Code.ARCHIVE_BOMB in {each for each, _, _ in places(found)}
    assert right(found) == {Passed.MANIFEST_VALID}


def test_the_manifest_of_the_world_declares_nothing() -> None:
    assert MANIFEST["permissions"] == {"network": [], "filesystem": [], "secrets": [], "subprocess": False}
