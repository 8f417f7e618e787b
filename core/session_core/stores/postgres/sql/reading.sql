-- Reading the record: each function sees one moment, whatever is written meanwhile.

CREATE TYPE kept AS (
    seq integer, id bytea, author text, time_s double precision, tokens integer, importance text,
    body bytea, clip bytea
);

CREATE FUNCTION found(p_tenant text, p_session_id text, p_namespace text) RETURNS sessions
LANGUAGE sql STABLE AS $$
    SELECT * FROM sessions WHERE tenant = p_tenant AND session_id = p_session_id AND namespace = p_namespace
$$;

-- The state and the digest in the first row, the messages behind it in the others.
CREATE FUNCTION load_session(p_tenant text, p_session_id text, p_namespace text, p_lineage integer[])
RETURNS TABLE (
    state text, digest bytea, seq integer, id bytea, author text, time_s double precision, tokens integer,
    importance text, body bytea, clip bytea
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    s sessions;
    d record;
    v_part integer[];
BEGIN
    SELECT * INTO s FROM sessions AS x
    WHERE x.tenant = p_tenant AND x.session_id = p_session_id AND x.namespace = p_namespace;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_part := coalesce(p_lineage, s.head);
    SELECT x.covers, x.pinned, (
        SELECT string_agg(y.data, '' ORDER BY y.part) FROM digests AS y
        WHERE y.session = x.session AND y.number = x.number
    ) AS data INTO d
    FROM digests AS x
    WHERE x.session = s.id AND x.number <= CASE WHEN p_lineage IS NULL THEN s.active[1] ELSE s.ready[1] END
      AND x.part = 0 AND begins(v_part, x.covers)
    ORDER BY x.number DESC LIMIT 1;
    IF FOUND THEN
        v_part := d.pinned || behind(v_part, d.covers);
        digest := d.data;
    END IF;
    state := row_to_json(s);
    RETURN NEXT;
    FOR i IN 1 .. cardinality(v_part) BY 2 LOOP
        RETURN QUERY
        SELECT NULL::text, NULL::bytea, m.seq, m.id, m.author, m.time_s, m.tokens, m.importance::text, m.body, m.clip
        FROM messages AS m
        WHERE m.session = s.id AND m.seq BETWEEN v_part[i] AND v_part[i + 1] ORDER BY m.seq;
    END LOOP;
END $$;

-- All of the log, or p_part of it in its order.
CREATE FUNCTION read_record(p_tenant text, p_session_id text, p_namespace text, p_part integer[])
RETURNS SETOF kept
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off SET work_mem = '64MB' AS $$
DECLARE
    s sessions := found(p_tenant, p_session_id, p_namespace);
    v_part integer[] := coalesce(p_part, ARRAY[1, s.messages]);
BEGIN
    IF s.id IS NULL THEN
        RETURN;
    END IF;
    FOR i IN 1 .. cardinality(v_part) BY 2 LOOP
        RETURN QUERY
        SELECT m.seq, m.id, m.author, m.time_s, m.tokens, m.importance::text, m.body, m.clip
        FROM messages AS m
        WHERE m.session = s.id AND m.seq BETWEEN v_part[i] AND v_part[i + 1] ORDER BY m.seq;
    END LOOP;
END $$;

-- Of several versions the newest in the head, or the newest of all.
CREATE FUNCTION find_message(p_tenant text, p_session_id text, p_namespace text, p_id bytea, p_id_hash integer)
RETURNS SETOF kept
LANGUAGE sql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
    SELECT m.seq, m.id, m.author, m.time_s, m.tokens, m.importance::text, m.body, m.clip
    FROM sessions AS s JOIN messages AS m ON m.session::oid = s.id::oid
    WHERE s.tenant = p_tenant AND s.session_id = p_session_id AND s.namespace = p_namespace
      AND m.id_hash = p_id_hash AND m.id = p_id
    ORDER BY as_set(s.head) @> m.seq DESC, m.seq DESC LIMIT 1
$$;

-- At most p_max messages that hold some of the words: those with rarer and with more of them first. Reads the hashes
-- of all words of the session; an index over them took as long where words are common, and half as much room again.
-- Two bytes are also found where two neighbours share them: one in 1,000 messages of 35 words for a word it has not.
CREATE FUNCTION search_messages(
    p_tenant text, p_session_id text, p_namespace text, p_words bytea[], p_max integer
) RETURNS SETOF kept
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    s sessions := found(p_tenant, p_session_id, p_namespace);
BEGIN
    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT x.seq, x.words FROM messages AS x WHERE x.session = s.id
    ), hits AS MATERIALIZED (
        SELECT k.seq, w.word FROM known AS k CROSS JOIN unnest(p_words) AS w (word)
        WHERE position(w.word IN k.words) > 0
    ), rarity AS (
        SELECT h.word, 1.0::float8 / count(*) AS weight FROM hits AS h GROUP BY h.word
    ), best AS (
        SELECT h.seq, sum(r.weight) AS score FROM hits AS h JOIN rarity AS r USING (word)
        GROUP BY h.seq ORDER BY score DESC, h.seq DESC LIMIT p_max
    )
    SELECT m.seq, m.id, m.author, m.time_s, m.tokens, m.importance::text, m.body, m.clip
    FROM best AS b CROSS JOIN LATERAL (
        SELECT x.* FROM messages AS x WHERE x.session = s.id AND x.seq = b.seq OFFSET 0
    ) AS m
    ORDER BY b.score DESC, m.seq DESC;
END $$;

CREATE FUNCTION read_state(p_tenant text, p_session_id text, p_namespace text) RETURNS SETOF json
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT row_to_json(s) FROM sessions AS s
    WHERE s.tenant = p_tenant AND s.session_id = p_session_id AND s.namespace = p_namespace
$$;

CREATE FUNCTION read_notices(p_tenant text, p_session_id text, p_namespace text) RETURNS SETOF bytea
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT n.data FROM sessions AS s JOIN notices AS n ON n.session = s.id
    WHERE s.tenant = p_tenant AND s.session_id = p_session_id AND s.namespace = p_namespace
    ORDER BY n.number
$$;

-- Raises: what asks for all tenants where rows are guarded by tenant.
CREATE FUNCTION require_tenant(p_tenant text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_tenant = '' AND row_security_active('sessions') THEN
        RAISE EXCEPTION 'no tenant is named' USING ERRCODE = 'LS001';
    END IF;
END $$;

-- No tenant ('') asks for all.
CREATE FUNCTION list_sessions(p_tenant text) RETURNS SETOF json
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM require_tenant(p_tenant);
    RETURN QUERY
    SELECT row_to_json(s) FROM sessions AS s
    WHERE (p_tenant = '' OR s.tenant = p_tenant) AND s.namespace = '' AND s.messages > 0
    ORDER BY s.last_time_s DESC NULLS LAST, s.touched DESC;
END $$;
