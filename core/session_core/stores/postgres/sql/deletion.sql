-- Deletion and retention: row locks on what goes, nothing else waits.

CREATE FUNCTION delete_session(p_tenant text, p_session_id text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    s sessions;
    v_gone bigint := 0;
BEGIN
    FOR s IN
        SELECT * FROM sessions WHERE tenant = p_tenant AND session_id = p_session_id ORDER BY namespace FOR UPDATE
    LOOP
        v_gone := v_gone + s.messages;
        DELETE FROM messages WHERE session = s.id;
        DELETE FROM digests WHERE session = s.id;
        DELETE FROM notices WHERE session = s.id;
        DELETE FROM checkpoints WHERE session = s.id;
        DELETE FROM channel_values WHERE session = s.id;
        DELETE FROM writes WHERE session = s.id;
        DELETE FROM drafts WHERE session = s.id;
        DELETE FROM sessions
        WHERE tenant = s.tenant AND session_id = s.session_id AND namespace = s.namespace;
    END LOOP;
    DELETE FROM leases WHERE tenant = p_tenant AND session_id = p_session_id;
    RETURN v_gone;
END $$;

-- The sessions that nobody wrote to for p_older_than_s seconds; no tenant ('') asks for all.
CREATE FUNCTION idle_sessions(p_tenant text, p_older_than_s double precision)
RETURNS TABLE (tenant text, session_id text)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM require_tenant(p_tenant);
    RETURN QUERY
        SELECT s.tenant::text, s.session_id::text FROM sessions AS s WHERE p_tenant = '' OR s.tenant = p_tenant
        GROUP BY s.tenant, s.session_id HAVING max(s.touched) < now() - make_interval(secs => p_older_than_s);
END $$;

-- Deletes sessions that nobody wrote to for p_older_than_s seconds, looking at p_batch of them behind
-- (p_after_tenant, p_after_session) in the order of their keys; one that somebody holds stays. No tenant ('') asks for all.
CREATE FUNCTION purge_sessions(
    p_tenant text, p_older_than_s double precision, p_batch integer, p_after_tenant text, p_after_session text
) RETURNS TABLE (seen integer, tenants text[], names text[], last_tenant text, last_session text)
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_until timestamptz := now() - make_interval(secs => p_older_than_s);
    v_rows bigint;
    v_idle bigint;
    o record;
BEGIN
    PERFORM require_tenant(p_tenant);
    seen := 0;
    tenants := '{}';
    names := '{}';
    FOR o IN
        SELECT s.tenant, s.session_id, count(*) AS rows FROM sessions AS s
        WHERE (p_tenant = '' OR s.tenant = p_tenant)
          AND (s.tenant, s.session_id) > (p_after_tenant COLLATE "C", p_after_session COLLATE "C")
        GROUP BY s.tenant, s.session_id HAVING max(s.touched) < v_until
        ORDER BY s.tenant, s.session_id LIMIT p_batch
    LOOP
        seen := seen + 1;
        last_tenant := o.tenant;
        last_session := o.session_id;
        SELECT count(*), count(*) FILTER (WHERE h.touched < v_until) INTO v_rows, v_idle FROM (
            SELECT s.touched FROM sessions AS s
            WHERE s.tenant = o.tenant AND s.session_id = o.session_id FOR UPDATE SKIP LOCKED
        ) AS h;
        IF v_rows = o.rows AND v_idle = v_rows THEN
            PERFORM delete_session(o.tenant, o.session_id);
            tenants := tenants || o.tenant::text;
            names := names || o.session_id::text;
        END IF;
    END LOOP;
    IF seen < p_batch THEN
        -- A turn that was taken, and nothing said: no session goes that its lease could go with.
        DELETE FROM leases AS l WHERE (l.tenant, l.session_id, l.namespace) IN (
            SELECT x.tenant, x.session_id, x.namespace FROM leases AS x
            WHERE (p_tenant = '' OR x.tenant = p_tenant) AND x.taken + make_interval(secs => x.ttl_s) < v_until
              AND NOT EXISTS (SELECT FROM sessions AS s WHERE s.tenant = x.tenant AND s.session_id = x.session_id)
            FOR UPDATE SKIP LOCKED
        );
    END IF;
    RETURN NEXT;
END $$;
