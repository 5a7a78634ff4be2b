"""The wheel of an exported tree, without .git, carries the GraphiQL bundle."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from app.graphiql.build import OUTPUT
from tests.server.nodes import missing

ROOT = Path(__file__).parents[2]
SOURCES = ("app", "schema", "resolvers", "windtunnel", "pyproject.toml", "hatch_build.py", "README.md", ".gitignore")


def test_the_wheel_has_the_bundle_and_its_licences(tmp_path: Path) -> None:
    if not (OUTPUT / "manifest.json").exists():  # built once, by make; the hook builds it where it is missing
        missing("GraphiQL is not built: make graphiql")
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        elif source.exists():
            shutil.copy(source, tree / name)
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--disable-pip-version-check")
    subprocess.run([*pip, "-w", str(tmp_path), str(tree)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = {name.removeprefix("app/static/graphiql/") for name in names if name.startswith("app/static/graphiql/")}
    assert shipped == {path.name for path in OUTPUT.iterdir()}
    assert {"app/graphiql/build.py", "app/graphiql/package-lock.json", "app/graphiql/tabs/2-watch.graphql"} <= names
    assert not any("node_modules" in name for name in names)
