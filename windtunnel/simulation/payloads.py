"""What passes in and out of tools and along links: plausible, harmless JSON that depends on the seed alone."""

import json
from typing import Any

from windtunnel.domain.architectures import Link, Tool, ToolCategory
from windtunnel.domain.failures import Inject
from windtunnel.simulation.dice import Dice, Key

REDACTED = "[redacted]"

_SUBJECTS = ("the latest request", "an open case", "a follow-up question", "a new order", "a changed detail")
_FINDINGS = ("matches what was expected", "needs one more detail", "is complete", "was updated recently", "is in order")


def tool_input(tool: Tool, task: str, dice: Dice, *key: Key) -> dict[str, Any]:
    """What an agent asks of a tool."""
    record = f"{tool.kind[:3].upper()}-{dice.whole(1000, 9999, *key, 'record')}"
    subject = dice.pick(_SUBJECTS, *key, "subject")
    match tool.category:
        case ToolCategory.SEARCH | ToolCategory.RETRIEVAL:
            asked: dict[str, Any] = {"query": subject, "limit": dice.whole(3, 10, *key, "limit")}
        case ToolCategory.DATABASE:
            asked = {"action": "update" if tool.side_effects else "select", "record": record}
        case ToolCategory.HTTP_API:
            asked = {"method": "POST" if tool.side_effects else "GET", "path": f"/{tool.kind}/{record}"}
        case ToolCategory.CODE:
            asked = {"program": f"{tool.kind}.run", "arguments": [record]}
        case ToolCategory.FILE:
            asked = {"path": f"{tool.kind}/{record}.json", "mode": "write" if tool.side_effects else "read"}
        case ToolCategory.MESSAGING:
            asked = {"to": REDACTED, "subject": f"About {subject}"}
        case ToolCategory.COMPUTE:
            asked = {"values": [dice.whole(1, 100, *key, "value", place) for place in range(3)]}
        case ToolCategory.HUMAN:
            asked = {"question": f"Is {subject} all right?"}
        case _:
            asked = {"record": record}
    return {"task": task, **asked}


def tool_output(tool: Tool, dice: Dice, *key: Key) -> dict[str, Any]:
    """What a tool answers when all is well."""
    finding = dice.pick(_FINDINGS, *key, "finding")
    match tool.category:
        case ToolCategory.SEARCH | ToolCategory.RETRIEVAL:
            found = dice.whole(2, 8, *key, "found")
            scores = [
                round(0.95 - 0.07 * place - 0.05 * dice.uniform(*key, place), 2) for place in range(min(found, 3))
            ]
            answer: dict[str, Any] = {"found": found, "scores": scores, "best": f"The first one {finding}."}
        case ToolCategory.DATABASE:
            answer = {"rows": 1, "changed": tool.side_effects, "note": f"The record {finding}."}
        case ToolCategory.HTTP_API:
            answer = {"status": 201 if tool.side_effects else 200, "body": {"state": finding}}
        case ToolCategory.CODE:
            answer = {"exit_code": 0, "lines": dice.whole(3, 120, *key, "lines")}
        case ToolCategory.FILE:
            answer = {"bytes": dice.whole(400, 90_000, *key, "size"), "saved": tool.side_effects}
        case ToolCategory.MESSAGING:
            answer = {"sent": tool.side_effects, "message": f"MSG-{dice.whole(1000, 9999, *key, 'message')}"}
        case ToolCategory.COMPUTE:
            answer = {"result": round(dice.between(0, 100, *key, "result"), 2)}
        case ToolCategory.HUMAN:
            answer = {"answer": f"Yes, it {finding}."}
        case _:
            answer = {"result": finding}
    return answer


def failed_output(error: str) -> dict[str, Any]:
    """What a tool answers when it fails."""
    return {"error": error}


def damaged(output: dict[str, Any], damage: Inject) -> dict[str, Any]:
    """The answer as a fault left it. What is wrong but plausible looks like any other answer."""
    if damage is Inject.TRUNCATE:
        kept = list(output.items())[:1]
        return {**dict(kept), "truncated": True}
    if damage is Inject.CORRUPT:
        return {key: "#?~" + json.dumps(value)[:12] for key, value in output.items()}
    return output


def foreign_input(tool: Tool, inject: Inject, task: str) -> dict[str, Any]:
    """What an agent asks of a tool when someone else pulls the strings; nothing secret is shown."""
    if inject is Inject.EXFILTRATE:
        return {"task": task, "to": "unknown recipient", "content": REDACTED}
    return {"task": task, "action": f"{tool.kind}: not part of the task", "instructed_by": "text in the input"}


def message(link: Link, task: str, dice: Dice, *key: Key) -> dict[str, Any]:
    """What passes along a link."""
    return {
        "task": task,
        "what": link.label,
        "items": dice.whole(1, 5, *key, "items"),
        "confidence": round(dice.between(0.7, 0.99, *key, "confidence"), 2),
    }


def size_of(payload: dict[str, Any]) -> int:
    """Bytes of the payload as JSON in UTF-8."""
    return len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
