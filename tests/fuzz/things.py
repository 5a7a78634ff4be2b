"""What is thrown: values, bodies, headers and frames, some almost right."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.documents import operations

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
SMALL_BYTES = st.binary(max_size=300)

DOCUMENTS = st.sampled_from(
    [
        "{ health { status version } }",
        "{ viewer { roles tenant { slug } } rateLimit { remaining } }",
        "query Q($id: ID!) { node(id: $id) { __typename id } }",
        "query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        "query Q($first: Int, $after: String) { simulations(first: $first, after: $after) { nodes { id } } }",
        "mutation M($input: SimulateInput!) { simulate(input: $input) { simulation { id } errors { code } } }",
        "subscription S($id: ID!, $after: Int) { simulationEvents(simulationId: $id, after: $after) { seq kind } }",
        "query A { health { status } } query B { health { version } }",
        "{ __schema { queryType { name fields { name } } } }",
        "{ ...F } fragment F on Query { ...F }",
    ]
) | st.text(alphabet='{}()[]"$:!@.,#\\ \nabquery1mutation', max_size=80)


def requests(ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """GraphQL requests, as objects: mostly well formed, with all kinds of values."""
    id_ = st.sampled_from(ids) | st.text(max_size=20)
    variables = st.fixed_dictionaries(
        {},
        optional={
            "id": id_ | VALUES,
            "ids": st.lists(id_, max_size=5) | VALUES,
            "first": st.integers(-2, 200) | VALUES,
            "after": st.text(max_size=10) | st.integers(-3, 10) | VALUES,
            "input": st.fixed_dictionaries({"scenario": st.fixed_dictionaries({"text": st.text(max_size=60)})})
            | VALUES,
        },
    )
    persisted = st.fixed_dictionaries({}, optional={"version": st.integers(0, 2), "sha256Hash": st.text(max_size=70)})
    odd = st.fixed_dictionaries(
        {},
        optional={
            "query": DOCUMENTS | VALUES,
            "variables": variables | VALUES,
            "operationName": st.sampled_from(["A", "B", "Q", "", None]) | VALUES,
            "extensions": st.fixed_dictionaries({"persistedQuery": persisted | VALUES}) | VALUES,
            "documentId": st.text(alphabet="0123456789abcdef:sh", max_size=71) | VALUES,
        },
    )
    return st.one_of(operations(ids), operations(ids), odd)


def bodies(ids: list[str]) -> st.SearchStrategy[bytes]:
    """Bodies of requests, from very good to no JSON at all."""
    rest = st.fixed_dictionaries({}, optional={"scenario": st.text(max_size=80) | VALUES, "seed": VALUES})
    whole = st.one_of(requests(ids), rest, VALUES).map(_json)
    return st.one_of(whole, st.tuples(whole, st.integers(0, 60)).map(_cut), SMALL_BYTES)


def frames(ids: list[str]) -> st.SearchStrategy[str | bytes]:
    """Frames of graphql-transport-ws, from very good to no text at all."""
    message = st.fixed_dictionaries(
        {"type": st.sampled_from(["subscribe", "complete", "ping", "pong", "connection_init", "next"]) | VALUES},
        optional={"id": st.sampled_from(["1", "2", "3"]) | VALUES, "payload": requests(ids) | VALUES},
    )
    return st.one_of(
        message.map(lambda found: _json(found).decode()), VALUES.map(lambda found: _json(found).decode()), SMALL_BYTES
    )


ODD_HEADERS = {
    "Accept": ["*/*", "text/html", "text/event-stream", "application/graphql-response+json", ",;q=x"],
    "Content-Type": ["application/json; charset=utf-16", "text/plain", "multipart/form-data", ";"],
    "Authorization": ["Bearer", "Bearer ", "Basic dTpw", "Bearer wt_x", "Bearer e30.e30.e30", "bearer  x y", "\x7f"],
    "Content-Encoding": ["gzip", "identity", "x"],
    "Host": ["localhost:1", "evil.example", "a b", ""],
    "Origin": ["null", "http://localhost", "https://evil.example", "x"],
    "Last-Event-ID": ["0", "-1", "999999999999", "x", "\x01"],
    "X-Request-Id": ["find-me-please", "x", "a\tb"],
    "X-Forwarded-For": ["1.2.3.4", "::1, x", "fe80::1%eth0", "x" * 60],
    "Upgrade": ["websocket", "h2c"],
}
_ODD = st.dictionaries(st.sampled_from(sorted(ODD_HEADERS)), st.integers(0, 9) | st.text(max_size=60), max_size=2)
HEADERS = _ODD.map(
    lambda odd: {
        name: ODD_HEADERS[name][value % len(ODD_HEADERS[name])] if isinstance(value, int) else value
        for name, value in odd.items()
    }
)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _cut(of: tuple[bytes, int]) -> bytes:
    return of[0][: -of[1]] if of[1] else of[0] + b"}"
