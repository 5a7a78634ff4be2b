"""Loads a package, stays, and answers, inside: `host PACKAGE REFERENCE`, one JSON object per line, as asked on stdin.

A question is `{"id": number, "ask": "describe" | "health" | "echo", "given": ...}`; the answer has the same id. An
empty reference loads nothing. Whatever the package prints goes to stderr.
"""

import hashlib
import importlib
import json
import os
import sys
from typing import Any

MANIFEST = "agent.json"
CARD = "agent-card.json"


def load(ref: str) -> Any:
    """What the reference names, if anything."""
    if not ref:
        return None
    name, _, path = ref.partition(":")
    found: Any = importlib.import_module(name)
    for part in path.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{ref} cannot be called")
    return found


def described(package: str) -> dict[str, Any]:
    """What it is: name and version of its manifest with the digest of that, and its card."""
    with open(os.path.join(package, MANIFEST), "rb") as file:
        text = file.read()
    manifest = json.loads(text)
    card = {"name": manifest["name"], "version": manifest["version"], "description": manifest["description"]}
    try:
        with open(os.path.join(package, CARD), "rb") as file:
            card = json.load(file)
    except FileNotFoundError:
        pass
    return {
        "name": manifest["name"],
        "version": manifest["version"],
        "manifest": hashlib.sha256(text).hexdigest(),
        "card": card,
    }


def answer(package: str, question: dict[str, Any]) -> dict[str, Any]:
    """What is said to a question."""
    if question["ask"] == "describe":
        return described(package)
    if question["ask"] == "echo":
        return {"echo": question.get("given")}
    return {"ok": True}


def main() -> None:
    """Load, then answer until nobody asks any more."""
    answers, questions = os.fdopen(os.dup(1), "w", encoding="utf-8"), os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(2, 1)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    package, ref = sys.argv[-2:]
    sys.path.insert(0, package)
    failure = ""
    try:
        load(ref)
    except BaseException as error:  # noqa: BLE001 - SystemExit, too: it was to be loaded
        failure = f"{type(error).__name__}: {error}"
    for line in questions:
        question = json.loads(line)
        said = {"failure": failure} if failure else answer(package, question)
        answers.write(json.dumps({"id": question["id"], **said}) + "\n")
        answers.flush()
    os._exit(0)  # whatever threads the package has started


if __name__ == "__main__":
    main()
