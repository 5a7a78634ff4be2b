"""Sockets with all kinds of messages, frames and bytes."""

from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any

from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.fuzz.conftest import Throw
from tests.fuzz.target import Target
from tests.fuzz.things import SMALL_BYTES, frames

PROTOCOL = Subprotocol("graphql-transport-ws")
INIT = '{"type": "connection_init"}'
LAST = '{"type": "ping", "payload": {"last": true}}'
CODES = {1002, 1003, 1006, 1007, 1009, 4400, 4401, 4406, 4408, 4409, 4429}


def test_sockets_with_all_kinds_of_messages(target: Target, throw: Throw) -> None:
    def talk(said: tuple[bool, list[str | bytes]]) -> None:
        initialised, messages = said
        with connect(target.websocket_url, subprotocols=[PROTOCOL], max_size=None, close_timeout=0.1) as socket:
            try:
                if initialised:
                    socket.send(INIT)
                for message in messages:
                    socket.send(message)
                socket.send(LAST)
                while "last" not in (answer := str(socket.recv(timeout=60))):
                    assert '"INTERNAL"' not in answer, said
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
            else:
                return
        assert code in CODES, said

    throw(0.12, talk, st.tuples(st.sampled_from([True, True, False]), st.lists(frames(target.ids), max_size=8)))


def test_bytes_that_are_no_frames(target: Target, throw: Throw) -> None:
    header = st.binary(min_size=2, max_size=14)

    def talk(content: Any) -> None:
        with connect(
            target.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], close_timeout=0.1
        ) as socket:
            socket.send(INIT)
            socket.recv(timeout=60)
            with suppress(OSError):
                for part in content:
                    socket.socket.sendall(part)
                socket.socket.shutdown(SHUT_RDWR)

    throw(0.05, talk, st.lists(header | SMALL_BYTES, min_size=1, max_size=5))
