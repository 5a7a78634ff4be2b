"""A model endpoint on this machine that speaks Responses and Chat Completions, and fails the way it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from windtunnel.domain.planning import PlannerAgent
from windtunnel.planning.team import ARCHITECT, FAILURES, INTERPRETER, MAPPER, NARRATOR, Member

MEMBERS: tuple[Member[Any, Any], ...] = (INTERPRETER, ARCHITECT, MAPPER, FAILURES, NARRATOR)
HANG_LIMIT_S = 60.0
"""Only a test that fails waits so long: hanging requests are let go when the endpoint closes."""


@dataclass(frozen=True)
class Call:
    """A request that arrived: which planning agent asked, in which dialect, with which messages."""

    agent: PlannerAgent
    dialect: str
    messages: tuple[str, ...]
    schema: dict[str, Any]
    authorization: str
    stored: bool | None

    @property
    def brief(self) -> dict[str, Any]:
        """What was asked first."""
        brief: dict[str, Any] = json.loads(self.messages[0])
        return brief


@dataclass(frozen=True)
class Reply:
    """What to answer: the model's text, or a status with a raw body; `hang` stops before or after the head."""

    text: str = ""
    status: int = 200
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: str | None = None
    empty: bool = False
    refusal: bool = False


Behaviour = Callable[[Call], Reply]


def sensible(call: Call) -> Reply:
    """What a good model answers: here, what the built-in planner would."""
    member = next(member for member in MEMBERS if member.place is call.agent)
    return Reply(member.offline(member.brief.model_validate(call.brief)).model_dump_json())


class FakeEndpoint:
    """The running endpoint. `calls` are the requests so far, in order of arrival."""

    def __init__(self, behaviour: Behaviour, dialects: tuple[str, ...]) -> None:
        self.calls: list[Call] = []
        self.behaviour = behaviour
        self.dialects = dialects
        self.released = threading.Event()
        self.hanging = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def agents(self) -> list[PlannerAgent]:
        """Who called, in order of arrival."""
        return [call.agent for call in self.calls]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                dialect = {"/v1/responses": "responses", "/v1/chat/completions": "chat"}.get(self.path, "")
                if dialect not in endpoint.dialects:
                    self._send(404, b'{"error": {"message": "no such address"}}', {})
                    return
                call = _call(dialect, body, self.headers.get("Authorization", ""))
                endpoint.calls.append(call)
                reply = endpoint.behaviour(call)
                if reply.hang == "before":
                    self._wait()
                    return
                if reply.hang == "midway":
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.wfile.write(b'{"id": ')
                    self._wait()
                    return
                raw = reply.raw if reply.raw is not None else json.dumps(_body(dialect, reply)).encode()
                self._send(reply.status, raw, reply.headers)

            def _wait(self) -> None:
                endpoint.hanging.set()
                endpoint.released.wait(HANG_LIMIT_S)
                self.close_connection = True

            def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@contextmanager
def fake_endpoint(
    behaviour: Behaviour = sensible, dialects: tuple[str, ...] = ("responses", "chat")
) -> Iterator[FakeEndpoint]:
    """An endpoint for the length of a test."""
    endpoint = FakeEndpoint(behaviour, dialects)
    try:
        yield endpoint
    finally:
        endpoint.close()


def _call(dialect: str, body: dict[str, Any], authorization: str) -> Call:
    if dialect == "responses":
        system, schema = body["instructions"], body["text"]["format"]["schema"]
        messages = [message["content"] for message in body["input"]]
    else:
        system, schema = body["messages"][0]["content"], body["response_format"]["json_schema"]["schema"]
        messages = [message["content"] for message in body["messages"][1:]]
    member = next(member for member in MEMBERS if member.instructions == system)
    return Call(member.place, dialect, tuple(messages), schema, authorization, body.get("store"))


def _body(dialect: str, reply: Reply) -> dict[str, Any]:
    if dialect == "chat":
        message: dict[str, Any] = {"role": "assistant", "content": reply.text}
        if reply.refusal:
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        return {
            "id": "chat-1", "object": "chat.completion", "created": 1, "model": "fake",
            "choices": [] if reply.empty else choices,
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }  # fmt: skip
    content: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": []}
    if reply.refusal:
        content = {"type": "refusal", "refusal": "I cannot help with that."}
    item = {"type": "message", "id": "msg-1", "role": "assistant", "status": "completed", "content": [content]}
    return {
        "id": "resp-1", "object": "response", "created_at": 1, "model": "fake", "status": "completed",
        "output": [] if reply.empty else [item],
        "parallel_tool_calls": False, "tool_choice": "auto", "tools": [],
        "usage": {
            "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
            "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
        },
    }  # fmt: skip
