"""The deployment pipeline as people of one tenant have it: each with a token of their own, and its roles."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from typer.testing import CliRunner
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from app.cli import cli
from tests.packages.world import package
from tests.processes import Api

DEPLOYMENT = """id status revision lastSeq failure submittedAt deployedAt finishedAt rollbackUntil
  agent { id slug } version { id version state isLive } submittedBy { email }
  package { digest checks { code passed severity path line remediation } }
  review { id status risk requiredApprovals expectedBy expectedBasis expiresAt queuedAt decidedAt comment
    votes { reviewer { email } decision comment } findings { severity title detail remediation }
    evidence { summary stale subject { id } } }
  timeline { seq status step message actor { email } }"""
REASON = "It opens a socket that its manifest does not declare."
FINDING = {
    "severity": "HIGH",
    "title": "Undeclared socket",
    "detail": "triage/main.py opens one in line 3.",
    "remediation": "Declare the host under permissions.network, or remove the call.",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who talks to the server with a token."""

    api: Api
    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def answer(self, query: str, **variables: Any) -> Any:
        """All that the server answers."""
        return httpx.post(
            f"{self.api.url}/graphql",
            json={"query": query, "variables": variables},
            headers=self.headers,
            timeout=60,
        ).json()

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an operation that must not fail as a whole."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, json.dumps(answer)
        return answer["data"]

    def do(self, verb: str, what: str = f"deployment {{ {DEPLOYMENT} }}", **given: Any) -> Any:
        """The payload of a mutation."""
        kind = f"{verb[0].upper()}{verb[1:]}Input!"
        query = f"mutation ($input: {kind}) {{ {verb}(input: $input) {{ {what} errors {{ code message path }} }} }}"
        return self.ask(query, input=given)[verb]

    def done(self, verb: str, what: str = f"deployment {{ {DEPLOYMENT} }}", **given: Any) -> Any:
        """As `do`, of one that must succeed."""
        payload = self.do(verb, what, **given)
        assert payload["errors"] == [], payload
        return payload

    def refused(self, verb: str, what: str = "deployment { id }", **given: Any) -> str:
        """The code with which a mutation is refused."""
        (error,) = self.do(verb, what, **given)["errors"]
        code: str = error["code"]
        return code

    def upload(self, data: bytes) -> str:
        """The digest of the package."""
        answer = httpx.put(f"{self.api.url}/packages", content=data, headers=self.headers, timeout=60)
        assert answer.status_code == 201, answer.text
        digest: str = answer.json()["digest"]
        return digest

    def registered(self, slug: str) -> str:
        """The id of a new agent."""
        payload = self.done("registerAgent", "agent { id }", slug=slug, name=slug.title(), description="Sorts.")
        agent_id: str = payload["agent"]["id"]
        return agent_id

    def submit(self, agent_id: str, slug: str, version: str, **given: Any) -> Any:
        """The payload for a package of that version."""
        digest = self.upload(package(name=f"acme/{slug}", version=version))
        what = f"expectedReviewBy deployment {{ {DEPLOYMENT} }}"
        return self.done("submitDeployment", what, agentId=agent_id, packageDigest=digest, **given)

    def look(self, deployment_id: str) -> Any:
        """The deployment as it is now."""
        return self.ask(f"query ($id: ID!) {{ deployment(id: $id) {{ {DEPLOYMENT} }} }}", id=deployment_id)[
            "deployment"
        ]

    def until(self, deployment_id: str, *statuses: str) -> Any:
        """The deployment once it is in one of these states; by its events, not by asking again and again."""
        found = self.look(deployment_id)
        if found["status"] not in statuses:
            query = "subscription ($id: ID!, $seq: Int) { deploymentEvents(deploymentId: $id, after: $seq) { status } }"
            with self.following(query, id=deployment_id, seq=found["lastSeq"]) as events:
                for event in events:
                    if event["deploymentEvents"]["status"] in statuses:
                        break
            found = self.look(deployment_id)
        assert found["status"] in statuses, json.dumps(found, indent=1)
        return found

    @contextmanager
    def following(self, query: str, **variables: Any) -> Iterator[Iterator[Any]]:
        """What a subscription tells."""
        with connect(self.api.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            init = {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}
            socket.send(orjson.dumps(init).decode())
            socket.recv()
            payload = {"query": query, "variables": variables}
            socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
            yield _told(socket)

    def live(self, agent_id: str, slug: str, version: str, *reviewers: "Person") -> Any:
        """A deployment that went all the way."""
        made = self.submit(agent_id, slug, version)["deployment"]
        self.until(made["id"], "IN_REVIEW")
        for reviewer in reviewers:
            reviewer.done("approveDeployment", deploymentId=made["id"], reviewedDigest=made["package"]["digest"])
        return self.until(made["id"], "LIVE")

    def notified(self) -> list[tuple[str, str]]:
        """Kind and title of everything in the inbox, the newest first."""
        nodes = self.ask("{ notifications(first: 50) { nodes { kind title body } } }")["notifications"]["nodes"]
        return [(each["kind"], f"{each['title']} {each['body']}") for each in nodes]


def hired(api: Api, data_dir: Path, name: str, *roles: str) -> Person:
    """A person of the tenant acme with a token."""
    email = f"{name}@acme.test"
    who = ["--tenant", "acme", "--user", email, *(part for role in roles for part in ("--role", role))]
    result = CliRunner().invoke(cli, ["token", "create", *who], env={"WINDTUNNEL_DATA_DIR": str(data_dir)})
    assert result.exit_code == 0, result.output
    return Person(api, email, result.stdout.strip())


def _told(socket: Connection) -> Iterator[Any]:
    for raw in socket:
        message = orjson.loads(raw)
        if message["type"] == "complete":
            return
        if message["type"] == "ping":
            socket.send('{"type":"pong"}')
        else:
            assert message["type"] == "next", message
            yield message["payload"]["data"]
