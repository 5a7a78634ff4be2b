"""Functions of a package: what they return, and every way in which they do not."""

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.house import package, sandbox
from windtunnel.domain.confinement import Limit
from windtunnel.domain.isolation import Isolation
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.calling import Answer, CallFailure, NoAnswer, call, check_health

TOOLS = """
import os, signal, sys, threading
import helper

class Tools:
    @staticmethod
    def inner(given): return {"inner": True}

def run(given): return {"echo": given, "help": helper.HELP, "cwd": os.getcwd()}
def talk(given):
    print("to people")
    sys.stderr.write("to people, too")
    return {}
def fail(given): raise ValueError(f"no {__file__} in {os.environ['HOME']} of {sys.prefix}")
def fail_oddly(given):
    class Odd(Exception):
        def __str__(self): raise RuntimeError
    raise Odd
def chatter(given): raise ValueError("x" * 5000 + chr(27))
def leave(given): sys.exit(3)
def vanish(given): os._exit(0)
def crash(given): os.kill(os.getpid(), signal.SIGSEGV)
def eat(given): return {"size": len(bytearray(1 << 30))}
def eat_and_hide(given):
    try: return eat(given)
    except MemoryError: raise MemoryError from None
def spin(given):
    while True: pass
def pause(given): signal.pause()
def linger(given):
    threading.Thread(target=signal.pause).start() if False else threading.Thread(target=threading.Event().wait).start()
    return {"lingers": True}
def a_list(given): return [1]
def not_a_number(given): return {"x": float("nan")}
def an_object(given): return {"x": object()}
def half_a_pair(given): return {"x": "\\ud800"}
def deep(given):
    found = {}
    for _ in range(100_000): found = {"x": found}
    return found
def forge(given):
    for number in range(3, 10):
        try: os.write(number, b"[1, 2")
        except OSError: pass
    os._exit(0)
value = 1
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    return package(tmp_path / "package", tools=TOOLS, helper="HELP = 'here'", broken="import no_such_thing")


def _box(root: Path, isolation: Isolation, tools: Path, **limits: float) -> Sandbox:
    return sandbox(root, isolation, tools, **limits)


async def _no_answer(box: Sandbox, tools: Path, ref: str, wall_s: float = 30.0) -> NoAnswer:
    answer = await call(box, tools, ref, {}, wall_s=wall_s)
    assert isinstance(answer, NoAnswer), answer
    return answer


async def test_a_function_is_given_a_dict_and_returns_one(tmp_path: Path, isolation: Isolation, tools: Path) -> None:
    box = _box(tmp_path / "environment", isolation, tools)
    given: dict[str, Any] = {"text": "Grüße ☂", "number": 1.5, "nothing": None, "list": [1, {"a": True}]}
    answer = await call(box, tools, "tools:run", given, wall_s=30)
    assert isinstance(answer, Answer), answer
    assert answer.output == {"echo": given, "help": "here", "cwd": str(tools)}
    assert answer.outcome.usage.cpu_s > 0


async def test_what_it_prints_is_not_its_answer(tmp_path: Path, best: Isolation, tools: Path) -> None:
    answer = await call(_box(tmp_path / "environment", best, tools), tools, "tools:talk", {}, wall_s=30)
    assert isinstance(answer, Answer), answer
    assert answer.output == {}
    assert sorted(answer.outcome.stderr) == sorted(b"to people\nto people, too")


async def test_a_function_may_be_within_something(tmp_path: Path, best: Isolation, tools: Path) -> None:
    answer = await call(_box(tmp_path / "environment", best, tools), tools, "tools:Tools.inner", {}, wall_s=30)
    assert isinstance(answer, Answer), answer
    assert answer.output == {"inner": True}


async def test_threads_do_not_hold_it_up(tmp_path: Path, best: Isolation, tools: Path) -> None:
    answer = await call(_box(tmp_path / "environment", best, tools), tools, "tools:linger", {}, wall_s=30)
    assert isinstance(answer, Answer), answer


@pytest.mark.parametrize(
    "expected",
    [
        ("tools:no", CallFailure.NOT_FOUND, "There is no function no in tools."),
        ("tools:value", CallFailure.NOT_FOUND, "There is no function value in tools."),
        ("no.such:run", CallFailure.NOT_FOUND, "There is no module no.such."),
        ("tools", CallFailure.NOT_FOUND, "A reference reads module.path:function."),
        ("../tools:run", CallFailure.NOT_FOUND, "A reference reads module.path:function."),
        ("broken:run", CallFailure.RAISED, "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("tools:fail_oddly", CallFailure.RAISED, "Odd"),
        ("tools:leave", CallFailure.RAISED, "SystemExit: 3"),
        ("tools:vanish", CallFailure.CRASHED, "It ended with exit status 0."),
        ("tools:crash", CallFailure.CRASHED, "It was ended by signal 11."),
        ("tools:a_list", CallFailure.BAD_OUTPUT, "The function must return a dict, and returned list."),
        ("tools:half_a_pair", CallFailure.BAD_OUTPUT, "What it wrote is not the answer of a function."),
        ("tools:forge", CallFailure.BAD_OUTPUT, "What it wrote is not the answer of a function."),
    ],
)
async def test_each_way_to_give_no_answer_has_its_kind(
    tmp_path: Path, best: Isolation, tools: Path, expected: tuple[str, CallFailure, str]
) -> None:
    ref, *why = expected
    answer = await _no_answer(_box(tmp_path / "environment", best, tools), tools, ref)
    assert [answer.failure, answer.message, answer.breach] == [*why, None]


@pytest.mark.parametrize("name", ["not_a_number", "an_object", "deep"])
async def test_what_is_no_json_is_a_bad_output(tmp_path: Path, best: Isolation, tools: Path, name: str) -> None:
    answer = await _no_answer(_box(tmp_path / "environment", best, tools), tools, f"tools:{name}")
    assert answer.failure is CallFailure.BAD_OUTPUT
    assert answer.message.startswith("What the function returned cannot be written as JSON: ")


async def test_messages_have_no_paths_of_the_host(tmp_path: Path, isolation: Isolation, tools: Path) -> None:
    answer = await _no_answer(_box(tmp_path / "environment", isolation, tools), tools, "tools:fail")
    assert answer.failure is CallFailure.RAISED
    assert answer.message.startswith("ValueError: no tools.py in ~")
    assert answer.message.endswith(" of python")
    assert str(tmp_path) not in answer.message


async def test_messages_are_short_and_printable(tmp_path: Path, best: Isolation, tools: Path) -> None:
    answer = await _no_answer(_box(tmp_path / "environment", best, tools), tools, "tools:chatter")
    assert len(answer.message) == 1_000
    assert answer.message.endswith("x…")


@pytest.mark.parametrize(
    ("name", "limit", "message"),
    [
        ("eat", Limit.MEMORY, "It used more than 64 MiB of memory."),
        ("eat_and_hide", Limit.MEMORY, "It used more than 64 MiB of memory."),
        ("spin", Limit.CPU, "It used more than 0.5 seconds of CPU time."),
        ("pause", Limit.WALL, "It did not end within 0.5 seconds."),
    ],
)
async def test_a_broken_limit_is_named(  # noqa: PLR0917 - what is given and what is expected
    tmp_path: Path, watched: Isolation, tools: Path, name: str, limit: Limit, message: str
) -> None:
    box = _box(tmp_path / "environment", watched, tools, cpu_s=0.5)
    answer = await _no_answer(box, tools, f"tools:{name}", wall_s=0.5 if limit is Limit.WALL else 30)
    assert (answer.failure, answer.breach, answer.message) == (CallFailure.LIMIT_EXCEEDED, limit, message)


async def test_health_is_an_exit_status_in_time(tmp_path: Path, isolation: Isolation) -> None:
    given = package(
        tmp_path / "package",
        health="from main import run\nassert run({}) == {}",
        main="def run(given): return {}",
        sick="import sys\nsys.exit(f'not well: {__file__}')",
        slow="import signal\nsignal.pause()",
    )
    box = sandbox(tmp_path / "environment", isolation, given)
    healthy = await check_health(box, given, ["python", "health.py"], timeout_s=30)
    assert (healthy.healthy, healthy.message) == (True, "")
    sick = await check_health(box, given, ["python", "sick.py"], timeout_s=30)
    said = 'It ended with exit status 1. The last that it wrote: "not well: sick.py".'
    assert (sick.healthy, sick.message) == (False, said)
    slow = await check_health(box, given, ["python", "slow.py"], timeout_s=0.3)
    assert (slow.healthy, slow.message) == (False, "It did not end within 0.3 seconds.")
    missing = await check_health(box, given, ["no-such-program"], timeout_s=30)
    assert not missing.healthy
    assert missing.message.endswith('The command cannot be run: No such file or directory.".')
