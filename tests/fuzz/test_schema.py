"""Every field of the schema with all kinds of arguments: by schemathesis, and by ourselves, subscriptions included."""

import json
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.graphql import nodes

from tests.fuzz.conftest import Throw
from tests.fuzz.documents import operations
from tests.fuzz.target import Target, check
from tests.fuzz.wire import send

JSON = {"Host": "localhost", "Content-Type": "application/json"}
STREAM = {**JSON, "Accept": "text/event-stream"}
DATES = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.text(max_size=30)
DURATIONS = st.sampled_from(["PT1S", "PT25H", "P1Y2M", "-PT1S", "P99999999D"]) | st.text(max_size=10)


def test_fields_with_all_kinds_of_arguments(target: Target, throw: Throw) -> None:
    ids = st.sampled_from(target.ids) | st.text(max_size=40)
    for scalar, texts in {"ID": ids, "DateTime": DATES, "Duration": DURATIONS, "JSON": st.text(max_size=20)}.items():
        schemathesis.graphql.scalar(scalar, texts.map(nodes.String))
    schema = schemathesis.graphql.from_url(f"{target.url}/graphql")
    fields = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(fields) > 15
    cases = st.one_of(
        *(
            field.as_strategy(generation_mode=mode)
            for field in fields
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        )
    )

    def ask(case: Case[Any]) -> None:
        content = json.dumps({"query": case.body}).encode()
        for headers in (JSON, STREAM):
            check(send(target.port, "POST", "/graphql", headers, content), case.body)

    throw(0.3, ask, cases)


def test_each_field_alone_with_variables(target: Target, throw: Throw) -> None:
    def ask(operation: dict[str, Any]) -> None:
        content = json.dumps(operation).encode()
        headers = STREAM if operation["query"].startswith("subscription") else JSON
        check(send(target.port, "POST", "/graphql", headers, content), operation)

    throw(0.3, ask, operations(target.ids))
