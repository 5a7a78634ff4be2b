CREATE FUNCTION guard_deployments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.tenant_id, OLD.agent_id, OLD.package_digest, OLD.submitted_by, OLD.created_ms)
        IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.agent_id, NEW.package_digest, NEW.submitted_by, NEW.created_ms)
        OR (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
            'SUBMITTED>VALIDATING', 'VALIDATING>SUBMITTED', 'VALIDATING>INVALID', 'VALIDATING>IN_REVIEW',
            'IN_REVIEW>REJECTED', 'IN_REVIEW>EXPIRED', 'IN_REVIEW>WITHDRAWN', 'IN_REVIEW>APPROVED',
            'IN_REVIEW>HELD', 'SUBMITTED>WITHDRAWN', 'VALIDATING>WITHDRAWN', 'APPROVED>DEPLOYING',
            'APPROVED>HELD', 'APPROVED>LAPSED', 'HELD>APPROVED', 'HELD>DEPLOY_FAILED', 'HELD>LAPSED',
            'DEPLOYING>LIVE', 'DEPLOYING>DEPLOY_FAILED', 'DEPLOYING>HELD', 'DEPLOY_FAILED>DEPLOYING',
            'DEPLOY_FAILED>HELD', 'DEPLOY_FAILED>LAPSED', 'LIVE>RETIRED', 'LIVE>ROLLED_BACK', 'RETIRED>LIVE',
            'ROLLED_BACK>LIVE'))
    THEN
        RAISE EXCEPTION 'a deployment cannot change like this' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER deployments_go_on BEFORE UPDATE ON deployments FOR EACH ROW EXECUTE FUNCTION guard_deployments();
REVOKE ALL ON FUNCTION guard_deployments FROM PUBLIC;

CREATE FUNCTION guard_agent_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.tenant_id, OLD.agent_id, OLD.version, OLD.package_digest, OLD.manifest_digest, OLD.manifest, OLD.classification)
        IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.agent_id, NEW.version, NEW.package_digest, NEW.manifest_digest, NEW.manifest, NEW.classification)
        OR (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN (
            'CANDIDATE>LIVE', 'LIVE>STANDBY', 'LIVE>QUARANTINED', 'STANDBY>LIVE', 'STANDBY>PRUNED',
            'STANDBY>QUARANTINED', 'QUARANTINED>STANDBY', 'QUARANTINED>PRUNED'))
    THEN
        RAISE EXCEPTION 'a version cannot change like this' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER agent_versions_go_on BEFORE UPDATE ON agent_versions FOR EACH ROW EXECUTE FUNCTION guard_agent_versions();
REVOKE ALL ON FUNCTION guard_agent_versions FROM PUBLIC;

CREATE FUNCTION guard_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.tenant_id, OLD.deployment_id, OLD.policy, OLD.policy_digest, OLD.config_digest, OLD.excluded, OLD.queued_ms, OLD.expires_ms, OLD.seal)
        IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.deployment_id, NEW.policy, NEW.policy_digest, NEW.config_digest, NEW.excluded, NEW.queued_ms, NEW.expires_ms, NEW.seal)
        OR (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
            'QUEUED>IN_REVIEW', 'QUEUED>APPROVED', 'QUEUED>REJECTED', 'QUEUED>EXPIRED', 'QUEUED>WITHDRAWN',
            'IN_REVIEW>QUEUED', 'IN_REVIEW>APPROVED', 'IN_REVIEW>REJECTED', 'IN_REVIEW>EXPIRED',
            'IN_REVIEW>WITHDRAWN'))
    THEN
        RAISE EXCEPTION 'a review cannot change like this' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER reviews_go_on BEFORE UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION guard_reviews();
REVOKE ALL ON FUNCTION guard_reviews FROM PUBLIC;

-- Nothing is approved that as many other people have not voted for as its policy wants, each for these very bytes.
CREATE FUNCTION guard_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.approved_ms IS NOT NULL AND OLD.approved_ms IS NULL AND (SELECT COUNT(*) FROM review_votes AS v JOIN reviews AS r ON r.tenant_id = v.tenant_id AND r.id = v.review_id
        WHERE r.tenant_id = NEW.tenant_id AND r.deployment_id = NEW.id AND v.decision = 'APPROVE'
        AND v.reviewed_digest = NEW.package_digest AND v.person_id <> NEW.submitted_by) < NEW.quorum THEN
        RAISE EXCEPTION 'an approval needs its votes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.quorum IS NOT NULL AND NEW.quorum IS DISTINCT FROM OLD.quorum THEN
        RAISE EXCEPTION 'the quorum of a deployment stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER deployments_need_votes BEFORE UPDATE ON deployments FOR EACH ROW EXECUTE FUNCTION guard_approval();

CREATE FUNCTION guard_vote() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM reviews AS r JOIN deployments AS d ON d.tenant_id = r.tenant_id AND d.id = r.deployment_id
        WHERE r.tenant_id = NEW.tenant_id AND r.id = NEW.review_id
        AND (d.submitted_by = NEW.person_id OR d.package_digest <> NEW.reviewed_digest OR d.status <> 'IN_REVIEW'
            OR NEW.at_ms >= r.expires_ms OR r.excluded::jsonb ? NEW.person_id))
    THEN
        RAISE EXCEPTION 'this person may not vote here' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER review_votes_of_others BEFORE INSERT ON review_votes FOR EACH ROW EXECUTE FUNCTION guard_vote();

CREATE FUNCTION guard_pointer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.tenant_id <> NEW.tenant_id OR OLD.agent_id <> NEW.agent_id OR NEW.fence < OLD.fence
        OR NEW.release_seq NOT IN (OLD.release_seq, OLD.release_seq + 1)
        OR (NEW.release_seq = OLD.release_seq AND (NEW.version_id, NEW.deployment_id, NEW.package_digest)
            IS DISTINCT FROM (OLD.version_id, OLD.deployment_id, OLD.package_digest))
    THEN
        RAISE EXCEPTION 'a pointer only goes on' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER pointers_go_on BEFORE UPDATE ON pointers FOR EACH ROW EXECUTE FUNCTION guard_pointer();

CREATE FUNCTION guard_first_pointer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.release_seq <> 0 THEN
        RAISE EXCEPTION 'a pointer begins with nothing' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER pointers_begin_empty BEFORE INSERT ON pointers FOR EACH ROW EXECUTE FUNCTION guard_first_pointer();

-- What a rollback leads to is kept until it is over.
CREATE FUNCTION guard_pinned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'PRUNED' AND OLD.state <> 'PRUNED' AND EXISTS (SELECT 1 FROM rollbacks AS b
        WHERE b.tenant_id = NEW.tenant_id AND b.to_version_id = NEW.id AND b.status = 'RUNNING')
    THEN
        RAISE EXCEPTION 'a version that is being restored is kept' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER agent_versions_pinned BEFORE UPDATE ON agent_versions FOR EACH ROW EXECUTE FUNCTION guard_pinned();
REVOKE ALL ON FUNCTION guard_approval, guard_vote, guard_pointer, guard_first_pointer, guard_pinned FROM PUBLIC;

CREATE TRIGGER agents_stay BEFORE DELETE ON agents FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER agent_versions_stay BEFORE DELETE ON agent_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployments_stay BEFORE DELETE ON deployments FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rollbacks_stay BEFORE DELETE ON rollbacks FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER pointers_stay BEFORE DELETE ON pointers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployment_events_append_only BEFORE UPDATE OR DELETE ON deployment_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER review_votes_append_only BEFORE UPDATE OR DELETE ON review_votes FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER review_findings_append_only BEFORE UPDATE OR DELETE ON review_findings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER review_evidence_append_only BEFORE UPDATE OR DELETE ON review_evidence FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER production_events_append_only BEFORE UPDATE OR DELETE ON production_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER review_queue_events_append_only BEFORE UPDATE OR DELETE ON review_queue_events FOR EACH ROW EXECUTE FUNCTION refuse_change();

DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'agents',
        'agent_versions',
        'deployments',
        'reviews',
        'rollbacks',
        'pointers',
        'deployment_events',
        'review_votes',
        'review_findings',
        'review_evidence',
        'production_events',
        'review_queue_events',
        'production_followers'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON %I USING (tenant_id = current_setting(''windtunnel.tenant'', true))', name
        );
        EXECUTE format('CREATE POLICY of_the_system ON %I TO windtunnel_system USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO windtunnel_api, windtunnel_worker, windtunnel_system', name);
    END LOOP;
END
$$;

-- People ask and vote through the API; only workers validate, deploy, and say what is in production.
GRANT INSERT, UPDATE ON agents, deployments, reviews TO windtunnel_api;
GRANT INSERT ON review_votes, review_findings, review_evidence, rollbacks, deployment_events, review_queue_events,
    production_events TO windtunnel_api;
GRANT INSERT (tenant_id, agent_id, fence, release_seq) ON pointers TO windtunnel_api;
GRANT UPDATE (fence) ON pointers TO windtunnel_api;
GRANT UPDATE (state, quarantine_reason) ON agent_versions TO windtunnel_api;
GRANT INSERT, UPDATE ON agent_versions TO windtunnel_worker;
GRANT UPDATE ON pointers TO windtunnel_worker;
GRANT UPDATE ON agents, deployments, reviews, rollbacks TO windtunnel_worker;
GRANT INSERT ON reviews, deployment_events, review_queue_events, production_events TO windtunnel_worker;
GRANT UPDATE ON deployments, reviews, rollbacks TO windtunnel_system;
GRANT INSERT, UPDATE, DELETE ON production_followers TO windtunnel_api;
-- Votes are counted again by workers, who see of tokens and identities whose they are, and nothing else.
GRANT SELECT (id, tenant_id, user_id, issued_by, issued_with, expires_ms, revoked_ms) ON api_tokens TO windtunnel_worker;
GRANT SELECT (tenant_id, subject, user_id) ON identities TO windtunnel_worker;

-- A package is what it is; its bytes may go when nothing needs them, and come again with another upload.
CREATE FUNCTION guard_packages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.tenant_id, OLD.digest, OLD.size_bytes, OLD.name, OLD.version)
        IS DISTINCT FROM (NEW.tenant_id, NEW.digest, NEW.size_bytes, NEW.name, NEW.version)
        OR (OLD.discarded_ms IS NULL) = (NEW.discarded_ms IS NULL)
        OR (NEW.discarded_ms IS NOT NULL AND (OLD.uploaded_by, OLD.created_ms) <> (NEW.uploaded_by, NEW.created_ms))
    THEN
        RAISE EXCEPTION 'a package is immutable' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.discarded_ms IS NOT NULL AND (EXISTS (SELECT 1 FROM agent_versions AS v WHERE v.tenant_id = NEW.tenant_id
            AND v.package_digest = NEW.digest AND v.state IN ('LIVE', 'STANDBY', 'QUARANTINED'))
        OR EXISTS (SELECT 1 FROM deployments AS d WHERE d.tenant_id = NEW.tenant_id AND d.package_digest = NEW.digest
            AND d.status IN ('SUBMITTED', 'VALIDATING', 'IN_REVIEW', 'APPROVED', 'HELD', 'DEPLOYING', 'DEPLOY_FAILED')))
    THEN
        RAISE EXCEPTION 'a package that is needed is kept' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
DROP TRIGGER packages_immutable ON packages;
CREATE TRIGGER packages_immutable BEFORE UPDATE ON packages FOR EACH ROW EXECUTE FUNCTION guard_packages();

CREATE FUNCTION guard_submission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM packages AS p WHERE p.tenant_id = NEW.tenant_id AND p.digest = NEW.package_digest
        AND p.discarded_ms IS NOT NULL)
    THEN
        RAISE EXCEPTION 'a package that was discarded cannot be deployed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER deployments_have_packages BEFORE INSERT ON deployments FOR EACH ROW EXECUTE FUNCTION guard_submission();
REVOKE ALL ON FUNCTION guard_packages, guard_submission FROM PUBLIC;
GRANT UPDATE (discarded_ms, uploaded_by, created_ms) ON packages TO windtunnel_api;
GRANT UPDATE (discarded_ms) ON packages TO windtunnel_worker;
