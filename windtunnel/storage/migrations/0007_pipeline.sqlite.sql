CREATE TRIGGER deployments_go_on BEFORE UPDATE ON deployments
WHEN (OLD.id, OLD.tenant_id, OLD.agent_id, OLD.package_digest, OLD.submitted_by, OLD.created_ms)
    <> (NEW.id, NEW.tenant_id, NEW.agent_id, NEW.package_digest, NEW.submitted_by, NEW.created_ms)
    OR (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
        'SUBMITTED>VALIDATING', 'VALIDATING>SUBMITTED', 'VALIDATING>INVALID', 'VALIDATING>IN_REVIEW',
        'IN_REVIEW>REJECTED', 'IN_REVIEW>EXPIRED', 'IN_REVIEW>WITHDRAWN', 'IN_REVIEW>APPROVED',
        'IN_REVIEW>HELD', 'SUBMITTED>WITHDRAWN', 'VALIDATING>WITHDRAWN', 'APPROVED>DEPLOYING', 'APPROVED>HELD',
        'APPROVED>LAPSED', 'HELD>APPROVED', 'HELD>DEPLOY_FAILED', 'HELD>LAPSED', 'DEPLOYING>LIVE',
        'DEPLOYING>DEPLOY_FAILED', 'DEPLOYING>HELD', 'DEPLOY_FAILED>DEPLOYING', 'DEPLOY_FAILED>HELD',
        'DEPLOY_FAILED>LAPSED', 'LIVE>RETIRED', 'LIVE>ROLLED_BACK', 'RETIRED>LIVE', 'ROLLED_BACK>LIVE'))
BEGIN
    SELECT RAISE(ABORT, 'a deployment cannot change like this');
END;

CREATE TRIGGER agent_versions_go_on BEFORE UPDATE ON agent_versions
WHEN (OLD.id, OLD.tenant_id, OLD.agent_id, OLD.version, OLD.package_digest, OLD.manifest_digest, OLD.manifest, OLD.classification)
    <> (NEW.id, NEW.tenant_id, NEW.agent_id, NEW.version, NEW.package_digest, NEW.manifest_digest, NEW.manifest, NEW.classification)
    OR (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN (
        'CANDIDATE>LIVE', 'LIVE>STANDBY', 'LIVE>QUARANTINED', 'STANDBY>LIVE', 'STANDBY>PRUNED',
        'STANDBY>QUARANTINED', 'QUARANTINED>STANDBY', 'QUARANTINED>PRUNED'))
BEGIN
    SELECT RAISE(ABORT, 'a version cannot change like this');
END;

CREATE TRIGGER reviews_go_on BEFORE UPDATE ON reviews
WHEN (OLD.id, OLD.tenant_id, OLD.deployment_id, OLD.policy, OLD.policy_digest, OLD.config_digest, OLD.excluded, OLD.queued_ms, OLD.expires_ms, OLD.seal)
    <> (NEW.id, NEW.tenant_id, NEW.deployment_id, NEW.policy, NEW.policy_digest, NEW.config_digest, NEW.excluded, NEW.queued_ms, NEW.expires_ms, NEW.seal)
    OR (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
        'QUEUED>IN_REVIEW', 'QUEUED>APPROVED', 'QUEUED>REJECTED', 'QUEUED>EXPIRED', 'QUEUED>WITHDRAWN',
        'IN_REVIEW>QUEUED', 'IN_REVIEW>APPROVED', 'IN_REVIEW>REJECTED', 'IN_REVIEW>EXPIRED',
        'IN_REVIEW>WITHDRAWN'))
BEGIN
    SELECT RAISE(ABORT, 'a review cannot change like this');
END;

-- Nothing is approved that as many other people have not voted for as its policy wants, each for these very bytes.
CREATE TRIGGER deployments_need_votes BEFORE UPDATE ON deployments
WHEN NEW.approved_ms IS NOT NULL AND OLD.approved_ms IS NULL AND (SELECT COUNT(*) FROM review_votes AS v JOIN reviews AS r ON r.tenant_id = v.tenant_id AND r.id = v.review_id
        WHERE r.tenant_id = NEW.tenant_id AND r.deployment_id = NEW.id AND v.decision = 'APPROVE'
        AND v.reviewed_digest = NEW.package_digest AND v.person_id <> NEW.submitted_by) < NEW.quorum
BEGIN
    SELECT RAISE(ABORT, 'an approval needs its votes');
END;

CREATE TRIGGER deployments_quorum_stays BEFORE UPDATE ON deployments
WHEN OLD.quorum IS NOT NULL AND (NEW.quorum IS NULL OR NEW.quorum <> OLD.quorum)
BEGIN
    SELECT RAISE(ABORT, 'the quorum of a deployment stays');
END;

CREATE TRIGGER review_votes_of_others BEFORE INSERT ON review_votes
WHEN EXISTS (SELECT 1 FROM reviews AS r JOIN deployments AS d ON d.tenant_id = r.tenant_id AND d.id = r.deployment_id
        WHERE r.tenant_id = NEW.tenant_id AND r.id = NEW.review_id
        AND (d.submitted_by = NEW.person_id OR d.package_digest <> NEW.reviewed_digest OR d.status <> 'IN_REVIEW'
            OR NEW.at_ms >= r.expires_ms OR EXISTS (SELECT 1 FROM json_each(r.excluded) WHERE value = NEW.person_id)))
BEGIN
    SELECT RAISE(ABORT, 'this person may not vote here');
END;

CREATE TRIGGER pointers_go_on BEFORE UPDATE ON pointers
WHEN OLD.tenant_id <> NEW.tenant_id OR OLD.agent_id <> NEW.agent_id OR NEW.fence < OLD.fence
    OR NEW.release_seq NOT IN (OLD.release_seq, OLD.release_seq + 1)
    OR (NEW.release_seq = OLD.release_seq AND (NEW.version_id IS NOT OLD.version_id
        OR NEW.deployment_id IS NOT OLD.deployment_id OR NEW.package_digest IS NOT OLD.package_digest))
BEGIN
    SELECT RAISE(ABORT, 'a pointer only goes on');
END;

CREATE TRIGGER pointers_begin_empty BEFORE INSERT ON pointers WHEN NEW.release_seq <> 0
BEGIN
    SELECT RAISE(ABORT, 'a pointer begins with nothing');
END;

-- What a rollback leads to is kept until it is over.
CREATE TRIGGER agent_versions_pinned BEFORE UPDATE ON agent_versions
WHEN NEW.state = 'PRUNED' AND OLD.state <> 'PRUNED' AND EXISTS (SELECT 1 FROM rollbacks AS b
        WHERE b.tenant_id = NEW.tenant_id AND b.to_version_id = NEW.id AND b.status = 'RUNNING')
BEGIN
    SELECT RAISE(ABORT, 'a version that is being restored is kept');
END;

CREATE TRIGGER agents_stay BEFORE DELETE ON agents
BEGIN
    SELECT RAISE(ABORT, 'a row of agents stays');
END;

CREATE TRIGGER agent_versions_stay BEFORE DELETE ON agent_versions
BEGIN
    SELECT RAISE(ABORT, 'a row of agent_versions stays');
END;

CREATE TRIGGER deployments_stay BEFORE DELETE ON deployments
BEGIN
    SELECT RAISE(ABORT, 'a row of deployments stays');
END;

CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews
BEGIN
    SELECT RAISE(ABORT, 'a row of reviews stays');
END;

CREATE TRIGGER rollbacks_stay BEFORE DELETE ON rollbacks
BEGIN
    SELECT RAISE(ABORT, 'a row of rollbacks stays');
END;

CREATE TRIGGER pointers_stay BEFORE DELETE ON pointers
BEGIN
    SELECT RAISE(ABORT, 'a row of pointers stays');
END;

CREATE TRIGGER deployment_events_no_update BEFORE UPDATE ON deployment_events
BEGIN
    SELECT RAISE(ABORT, 'deployment_events is append-only');
END;

CREATE TRIGGER deployment_events_no_delete BEFORE DELETE ON deployment_events
BEGIN
    SELECT RAISE(ABORT, 'deployment_events is append-only');
END;

CREATE TRIGGER review_votes_no_update BEFORE UPDATE ON review_votes
BEGIN
    SELECT RAISE(ABORT, 'review_votes is append-only');
END;

CREATE TRIGGER review_votes_no_delete BEFORE DELETE ON review_votes
BEGIN
    SELECT RAISE(ABORT, 'review_votes is append-only');
END;

CREATE TRIGGER review_findings_no_update BEFORE UPDATE ON review_findings
BEGIN
    SELECT RAISE(ABORT, 'review_findings is append-only');
END;

CREATE TRIGGER review_findings_no_delete BEFORE DELETE ON review_findings
BEGIN
    SELECT RAISE(ABORT, 'review_findings is append-only');
END;

CREATE TRIGGER review_evidence_no_update BEFORE UPDATE ON review_evidence
BEGIN
    SELECT RAISE(ABORT, 'review_evidence is append-only');
END;

CREATE TRIGGER review_evidence_no_delete BEFORE DELETE ON review_evidence
BEGIN
    SELECT RAISE(ABORT, 'review_evidence is append-only');
END;

CREATE TRIGGER production_events_no_update BEFORE UPDATE ON production_events
BEGIN
    SELECT RAISE(ABORT, 'production_events is append-only');
END;

CREATE TRIGGER production_events_no_delete BEFORE DELETE ON production_events
BEGIN
    SELECT RAISE(ABORT, 'production_events is append-only');
END;

CREATE TRIGGER review_queue_events_no_update BEFORE UPDATE ON review_queue_events
BEGIN
    SELECT RAISE(ABORT, 'review_queue_events is append-only');
END;

CREATE TRIGGER review_queue_events_no_delete BEFORE DELETE ON review_queue_events
BEGIN
    SELECT RAISE(ABORT, 'review_queue_events is append-only');
END;

-- A package is what it is; its bytes may go, and come again with another upload.
DROP TRIGGER packages_immutable;
CREATE TRIGGER packages_immutable BEFORE UPDATE ON packages
WHEN (OLD.tenant_id, OLD.digest, OLD.size_bytes) <> (NEW.tenant_id, NEW.digest, NEW.size_bytes)
    OR OLD.name IS NOT NEW.name OR OLD.version IS NOT NEW.version
    OR (OLD.discarded_ms IS NULL) = (NEW.discarded_ms IS NULL)
    OR (NEW.discarded_ms IS NOT NULL AND (OLD.uploaded_by, OLD.created_ms) <> (NEW.uploaded_by, NEW.created_ms))
BEGIN
    SELECT RAISE(ABORT, 'a package is immutable');
END;

CREATE TRIGGER packages_needed BEFORE UPDATE ON packages
WHEN NEW.discarded_ms IS NOT NULL AND (EXISTS (SELECT 1 FROM agent_versions AS v WHERE v.tenant_id = NEW.tenant_id
        AND v.package_digest = NEW.digest AND v.state IN ('LIVE', 'STANDBY', 'QUARANTINED'))
    OR EXISTS (SELECT 1 FROM deployments AS d WHERE d.tenant_id = NEW.tenant_id AND d.package_digest = NEW.digest
        AND d.status IN ('SUBMITTED', 'VALIDATING', 'IN_REVIEW', 'APPROVED', 'HELD', 'DEPLOYING', 'DEPLOY_FAILED')))
BEGIN
    SELECT RAISE(ABORT, 'a package that is needed is kept');
END;

CREATE TRIGGER deployments_have_packages BEFORE INSERT ON deployments
WHEN EXISTS (SELECT 1 FROM packages AS p WHERE p.tenant_id = NEW.tenant_id AND p.digest = NEW.package_digest
    AND p.discarded_ms IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'a package that was discarded cannot be deployed');
END;
