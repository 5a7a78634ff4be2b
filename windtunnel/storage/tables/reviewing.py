"""Reviews, and what was said in them."""

from typing import Any, cast

from piccolo.columns import BigInt, Integer, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Reviews(Table, db=_DB, tablename="reviews"):
    """The security reviews of deployments."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    deployment_id = Varchar(36)
    status = Varchar(10)
    risk = Varchar(8)
    risk_rank = Integer()
    policy = Text()
    policy_digest = Varchar(64)
    config_digest = Varchar(64)
    excluded = Text()
    claimed_by = Varchar(36, null=True, default=None)
    claimed_ms = BigInt(null=True, default=None)
    queued_ms = BigInt()
    expires_ms = BigInt()
    expected_ms = BigInt()
    expected_basis = Text()
    reminded = Integer()
    decided_ms = BigInt(null=True, default=None)
    comment = Text(null=True, default=None)
    seal = Text()


class ReviewVotes(Table, db=_DB, tablename="review_votes"):
    """Who said what, of which bytes."""

    review_id = Varchar(36)
    person_id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    decision = Varchar(7)
    reviewed_digest = Varchar(64)
    comment = Text(null=True, default=None)
    token_id = Varchar(36, null=True, default=None)
    at_ms = BigInt()
    seal = Text()


class ReviewFindings(Table, db=_DB, tablename="review_findings"):
    """What reviewers found."""

    review_id = Varchar(36)
    number = Integer(primary_key=True)
    tenant_id = Varchar(36)
    severity = Varchar(8)
    title = Varchar(200)
    detail = Text()
    remediation = Text()


class ReviewEvidence(Table, db=_DB, tablename="review_evidence"):
    """What ran the package that is reviewed."""

    deployment_id = Varchar(36)
    subject_id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    kind = Varchar(40)
    summary = Text()
    environment_id = Varchar(36, null=True, default=None)
    snapshot_digest = Varchar(64, null=True, default=None)


class ReviewQueueEvents(Table, db=_DB, tablename="review_queue_events"):
    """How the review queue moved, numbered in the tenant."""

    tenant_id = Varchar(36)
    seq = BigInt(primary_key=True)
    at_ms = BigInt()
    change = Varchar(10)
    review_id = Varchar(36)
