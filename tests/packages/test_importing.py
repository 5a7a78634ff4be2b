"""What modules of a package may import of it, and that many modules cost no more each than few."""

import ast
import json
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from tests.packages.inspections import inspected, places, with_files
from tests.packages.world import manifest
from windtunnel.packages.codes import Code
from windtunnel.packages.findings import Findings
from windtunnel.packages.inspection.declared import compare
from windtunnel.packages.inspection.uses import Uses
from windtunnel.packages.manifest import Manifest

FEW, MANY = 100, 400


async def test_what_is_at_the_top_or_beside_a_module_is_there(tmp_path: Path) -> None:
    files = {
        "deep/er/one.py": "import other\nimport two\nimport triage\nimport more\n",
        "deep/er/two.py": "import er\n",
        "deep/er/more/__init__.py": "",
        "other.py": "import two\n",
    }
    found = places(await inspected(tmp_path, with_files(files)))
    assert found == [(Code.DEPENDENCY_UNLOCKED, "deep/er/two.py", 1), (Code.DEPENDENCY_UNLOCKED, "other.py", 1)]


def test_many_modules_cost_no_more_each_than_few() -> None:
    declared = Manifest.model_validate_json(json.dumps(manifest()))

    def calls(number: int) -> int:
        modules = {f"deep/{each}.py": Uses(ast.parse("import os")) for each in range(number)}
        counted: Counter[str] = Counter()

        def count(frame: FrameType, event: str, argument: object) -> None:
            del frame, argument
            counted[event] += 1

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            compare(declared, modules, Findings())
        finally:
            sys.setprofile(before)
        return counted["call"] + counted["c_call"]

    assert calls(MANY) < 1.5 * MANY / FEW * calls(FEW)
