"""What must never happen in this repository, checked by a machine."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_PACKAGES = ("app", "schema", "resolvers", "windtunnel")
MAX_LINES = 300


def _modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def _texts() -> Iterator[tuple[Path, str]]:
    skipped = {".venv", "node_modules", "static", ".git", "__pycache__", ".hypothesis", "build", "dist"}
    for path in sorted(ROOT.rglob("*")):
        hidden = any(part in skipped or part.endswith("_cache") for part in path.relative_to(ROOT).parts)
        if (
            path.is_file()
            and not hidden
            and path.suffix in {".py", ".md", ".toml", ".yml", ".mjs", ".jsx", ".json", ""}
        ):
            try:
                yield path, path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


def test_imports_only_go_down() -> None:
    linted = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def test_only_settings_reads_the_environment() -> None:
    readers = {"app/settings.py", "app/graphiql/build.py"}  # the build script runs before the app exists
    elsewhere = "windtunnel/sandbox/inside/"  # in a process of its own, whose environment is what is looked at
    guilty = [
        f"{relative}:{node.lineno}"
        for path in _modules(*SOURCE_PACKAGES)
        if (relative := path.relative_to(ROOT).as_posix()) not in readers and not relative.startswith(elsewhere)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert guilty == []


@pytest.mark.parametrize("package", [*SOURCE_PACKAGES, "tests"])
def test_files_stay_one_thing(package: str) -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in _modules(package)
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}, f"more than {MAX_LINES} lines: is each really one thing?"


def test_every_module_says_what_it_is() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in _modules(*SOURCE_PACKAGES)
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_tests_never_sleep() -> None:
    sleeping = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _modules("tests")
        if path.name != "waiting.py"  # between two looks at what tells nobody
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"(time|asyncio|anyio)\.sleep\((?!0\))", line) and "re.search" not in line
    ]
    assert sleeping == []


def test_nothing_names_a_registry_host_or_an_absolute_home() -> None:
    host = re.compile(r"registry\.npm" + r"js|files\.python" + r"hosted|pypi\.org/" + r"simple|(?<![\w.*])/wo" + r"rk/")
    guilty = [f"{path.relative_to(ROOT)}: {found.group()}" for path, text in _texts() if (found := host.search(text))]
    assert guilty == []


def test_nothing_is_left_undone_in_the_source() -> None:
    undone = re.compile(r"\bTO" + r"DO\b|\bFIX" + r"ME\b|NotImplemented" + r"Error|pragma: no " + r"cover")
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _modules(*SOURCE_PACKAGES)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if undone.search(line)
    ]
    assert guilty == []
