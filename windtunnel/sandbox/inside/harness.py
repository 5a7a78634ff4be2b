"""Calls one function of a package, inside: `harness PACKAGE MODULE:FUNCTION`, its argument as JSON on stdin.

The answer is one JSON object on stdout; whatever the package prints goes to stderr.
"""

import importlib
import json
import os
import sys
from typing import Any


class Refused(Exception):  # noqa: N818 - it is no error of ours
    """Why there is no answer: a kind, and a sentence."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message


def find(ref: str) -> Any:
    """The function that the reference names."""
    name, _, path = ref.partition(":")
    try:
        found: Any = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise Refused("NOT_FOUND", f"There is no module {name}.") from None
        raise
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise Refused("NOT_FOUND", f"There is no function {path} in {name}.")
    return found


def written(answer: Any) -> str:
    """The answer as JSON."""
    if not isinstance(answer, dict):
        raise Refused("BAD_OUTPUT", f"The function must return a dict, and returned {type(answer).__name__}.")
    try:
        return json.dumps({"output": answer}, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused("BAD_OUTPUT", f"What the function returned cannot be written as JSON: {error}.") from None


def told(error: BaseException) -> str:
    """An exception in one line."""
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - it is the package's code that says it
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def main() -> None:
    """Call it."""
    answers = os.dup(1)
    os.dup2(2, 1)
    package, ref = sys.argv[-2:]
    sys.path.insert(0, package)
    try:
        given = json.load(sys.stdin)
        text = written(find(ref)(given))
    except Refused as refused:
        text = json.dumps({"failure": refused.kind, "message": refused.message})
    except MemoryError:
        text = json.dumps({"failure": "MEMORY", "message": ""})
    except BaseException as error:  # noqa: BLE001 - SystemExit, too: the function was to return
        text = json.dumps({"failure": "RAISED", "message": told(error)})
    sys.stdout.flush()
    sys.stderr.flush()
    with open(answers, "w", encoding="utf-8") as stream:
        stream.write(text)
    os._exit(0)  # whatever threads the package has started


if __name__ == "__main__":
    main()
