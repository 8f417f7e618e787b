-- Turn leases: a row for the newest grant of a session. A token is never given twice, nor to a deleted session.

CREATE SEQUENCE lease_tokens;

CREATE TABLE leases (
    token bigint NOT NULL,
    taken timestamptz NOT NULL,
    ttl_s double precision NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    holder text NOT NULL,
    PRIMARY KEY (tenant, session_id, namespace)
) WITH (fillfactor = 60);

-- The token, or NULL while another holder has the turn. Who holds it keeps the token. A clock that went behind the
-- grant has ended it too.
CREATE FUNCTION take_lease(p_tenant text, p_session_id text, p_namespace text, p_holder text, p_ttl_s double precision)
RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' AS $$
DECLARE
    v_token bigint;
BEGIN
    -- The clock is read once the row is held: a grant that was waited for is later than this call's beginning.
    INSERT INTO leases AS l (token, taken, ttl_s, tenant, session_id, namespace, holder)
    VALUES (nextval('lease_tokens'), clock_timestamp(), p_ttl_s, p_tenant, p_session_id, p_namespace, p_holder)
    ON CONFLICT (tenant, session_id, namespace) DO UPDATE SET
        token = CASE WHEN l.holder = excluded.holder THEN l.token ELSE excluded.token END,
        taken = clock_timestamp(), ttl_s = excluded.ttl_s, holder = excluded.holder
    WHERE l.holder = excluded.holder OR l.taken > clock_timestamp()
       OR l.taken + make_interval(secs => l.ttl_s) <= clock_timestamp()
    RETURNING l.token INTO v_token;
    RETURN v_token;
END $$;

CREATE FUNCTION drop_lease(p_tenant text, p_session_id text, p_namespace text, p_token bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' AS $$
BEGIN
    DELETE FROM leases
    WHERE tenant = p_tenant AND session_id = p_session_id AND namespace = p_namespace AND token = p_token;
    RETURN FOUND;
END $$;

-- Whether the session's turn is that of p_token; if so nobody takes it before the transaction ends.
CREATE FUNCTION has_turn(p_tenant text, p_session_id text, p_namespace text, p_token bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM leases
    WHERE tenant = p_tenant AND session_id = p_session_id AND namespace = p_namespace AND token = p_token FOR SHARE;
    RETURN FOUND;
END $$;
