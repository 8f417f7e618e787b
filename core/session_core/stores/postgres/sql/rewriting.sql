-- Values of a session in the place of others that say the same, a page at a time: one call reads a page, another writes
-- what became of it. `seen` is the version of a row (xmin): a row that others wrote or deleted in between stays theirs.

-- A session's namespaces with their authors, and the kinds of values that each has.
CREATE FUNCTION read_kinds(p_tenant text, p_session_id text)
RETURNS TABLE (namespace text, authors text[], kinds text[])
LANGUAGE sql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
    SELECT s.namespace, s.authors, array_remove(ARRAY[
        CASE WHEN EXISTS (SELECT FROM messages AS x WHERE x.session = s.id) THEN 'messages' END,
        CASE WHEN EXISTS (SELECT FROM digests AS x WHERE x.session = s.id) THEN 'digests' END,
        CASE WHEN EXISTS (SELECT FROM notices AS x WHERE x.session = s.id) THEN 'notices' END,
        CASE WHEN EXISTS (SELECT FROM checkpoints AS x WHERE x.session = s.id) THEN 'checkpoints' END,
        CASE WHEN EXISTS (SELECT FROM channel_values AS x WHERE x.session = s.id) THEN 'channel_values' END,
        CASE WHEN EXISTS (SELECT FROM drafts AS x WHERE x.session = s.id AND x.data <> '') THEN 'drafts' END,
        CASE WHEN EXISTS (SELECT FROM writes AS x WHERE x.session = s.id) THEN 'writes' END
    ], NULL)
    FROM sessions AS s WHERE s.tenant = p_tenant AND s.session_id = p_session_id ORDER BY s.namespace
$$;

-- Values of one kind behind the place (p_names, p_number), empty names for the first: at most p_rows, less when they
-- take over p_bytes, but one.
CREATE FUNCTION read_values(
    p_tenant text, p_session_id text, p_namespace text, p_kind text, p_names text[], p_number bigint, p_rows integer,
    p_bytes bigint
) RETURNS TABLE (names text[], number bigint, seen text, author text, type text, data bytea, clip bytea)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    s sessions := found(p_tenant, p_session_id, p_namespace);
    v_checkpoint bytea;
    v_task bytea;
BEGIN
    IF p_kind = 'writes' THEN
        v_checkpoint := decode(p_names[1], 'hex');
        v_task := decode(p_names[2], 'hex');
    END IF;
    RETURN QUERY
    WITH page AS (
        (SELECT row_number() OVER (ORDER BY x.seq) AS place, ARRAY[encode(x.id, 'hex')] AS names, x.seq::bigint AS number,
                x.xmin::text AS seen, x.author, NULL::text AS type, x.body AS data, x.clip
         FROM messages AS x
         WHERE p_kind = 'messages' AND x.session = s.id AND x.seq > p_number ORDER BY x.seq LIMIT p_rows)
        UNION ALL
        (SELECT row_number() OVER (ORDER BY x.number), '{}'::text[], x.number,
                string_agg(x.xmin::text, ' ' ORDER BY x.part), NULL, NULL, string_agg(x.data, '' ORDER BY x.part), NULL
         FROM digests AS x
         WHERE p_kind = 'digests' AND x.session = s.id AND x.number > p_number
         GROUP BY x.number ORDER BY x.number LIMIT p_rows)
        UNION ALL
        (SELECT row_number() OVER (ORDER BY x.number), '{}', x.number, x.xmin::text, NULL, NULL, x.data, NULL
         FROM notices AS x
         WHERE p_kind = 'notices' AND x.session = s.id AND x.number > p_number ORDER BY x.number LIMIT p_rows)
        UNION ALL
        (SELECT row_number() OVER (ORDER BY x.id), ARRAY[x.id], 0, x.xmin::text, NULL, x.type, x.data, NULL
         FROM checkpoints AS x
         WHERE p_kind = 'checkpoints' AND x.session = s.id AND x.id > p_names[1] ORDER BY x.id LIMIT p_rows)
        UNION ALL
        (SELECT row_number() OVER (ORDER BY x.number), ARRAY[x.channel, encode(x.version, 'hex')], x.number, x.xmin::text, NULL,
                x.type, x.data, NULL
         FROM channel_values AS x
         WHERE p_kind = 'channel_values' AND x.session = s.id AND x.number > p_number AND x.data IS NOT NULL
         ORDER BY x.number LIMIT p_rows)
        UNION ALL
        (SELECT row_number() OVER (ORDER BY x.number), '{}', x.number, x.xmin::text, NULL, NULL, x.data, NULL
         FROM drafts AS x
         WHERE p_kind = 'drafts' AND x.session = s.id AND x.number > p_number AND x.data <> ''
         ORDER BY x.number LIMIT p_rows)
        UNION ALL
        (SELECT row_number() OVER (ORDER BY x.checkpoint, x.task_id, x.position),
                ARRAY[encode(x.checkpoint, 'hex'), encode(x.task_id, 'hex')], x.position, x.xmin::text, NULL, NULL, x.data,
                NULL
         FROM writes AS x
         WHERE p_kind = 'writes' AND x.session = s.id
           AND (x.checkpoint, x.task_id, x.position) > (v_checkpoint, v_task, p_number)
         ORDER BY x.checkpoint, x.task_id, x.position LIMIT p_rows)
    ), counted AS (
        SELECT p.*, sum(octet_length(p.data)) OVER (ORDER BY p.place) - octet_length(p.data) AS before FROM page AS p
    )
    SELECT c.names, c.number, c.seen, c.author, c.type, c.data, c.clip FROM counted AS c
    WHERE c.before < p_bytes ORDER BY c.place;
END $$;

-- Writes values of one kind, each only while its row is the one that was seen; the places of those that were written.
-- Who writes to the session waits for this step, and this step for them: so rows are locked in one order.
CREATE FUNCTION put_values(
    p_tenant text, p_session_id text, p_namespace text, p_kind text, p_values json, p_data bytea[], p_clips bytea[]
) RETURNS SETOF integer
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    v_session integer;
    g record;
BEGIN
    SELECT s.id INTO v_session FROM sessions AS s
    WHERE s.tenant = p_tenant AND s.session_id = p_session_id AND s.namespace = p_namespace FOR UPDATE;
    FOR g IN
        SELECT x.* FROM ROWS FROM (
            json_to_recordset(p_values) AS (names text[], number bigint, seen text, author text, type text),
            unnest(p_data), unnest(p_clips)
        ) WITH ORDINALITY AS x (names, number, seen, author, type, data, clip, place)
    LOOP
        CASE p_kind
        WHEN 'messages' THEN
            UPDATE messages AS x SET author = g.author, body = g.data, clip = g.clip
            WHERE x.session = v_session AND x.seq = g.number AND x.xmin::text = g.seen;
        WHEN 'digests' THEN
            PERFORM write_digest(v_session, x.tenant, x.number, x.number, x.covers, x.pinned, g.data)
            FROM digests AS x
            WHERE x.session = v_session AND x.number = g.number AND x.part = 0 AND g.seen = (
                SELECT string_agg(y.xmin::text, ' ' ORDER BY y.part) FROM digests AS y
                WHERE y.session = v_session AND y.number = g.number
            );
        WHEN 'notices' THEN
            UPDATE notices AS x SET data = g.data
            WHERE x.session = v_session AND x.number = g.number AND x.xmin::text = g.seen;
        WHEN 'checkpoints' THEN
            UPDATE checkpoints AS x SET type = g.type, data = g.data
            WHERE x.session = v_session AND x.id = g.names[1] AND x.xmin::text = g.seen;
        WHEN 'channel_values' THEN
            UPDATE channel_values AS x SET type = g.type, data = g.data
            WHERE x.session = v_session AND x.number = g.number AND x.xmin::text = g.seen;
        WHEN 'drafts' THEN
            UPDATE drafts AS x SET data = g.data
            WHERE x.session = v_session AND x.number = g.number AND x.xmin::text = g.seen;
        WHEN 'writes' THEN
            UPDATE writes AS x SET data = g.data
            WHERE x.session = v_session AND x.checkpoint = decode(g.names[1], 'hex')
              AND x.task_id = decode(g.names[2], 'hex') AND x.position = g.number AND x.xmin::text = g.seen;
        END CASE;
        IF FOUND THEN
            RETURN NEXT g.place;
        END IF;
    END LOOP;
END $$;

-- The authors in a session's ledger, while they are the ones that were seen; whether they were replaced.
CREATE FUNCTION put_authors(
    p_tenant text, p_session_id text, p_namespace text, p_seen text[], p_authors text[]
) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' AS $$
BEGIN
    UPDATE sessions SET authors = p_authors
    WHERE tenant = p_tenant AND session_id = p_session_id AND namespace = p_namespace AND authors = p_seen;
    RETURN FOUND;
END $$;

-- Every session, with messages or without. No tenant ('') asks for all.
CREATE FUNCTION list_names(p_tenant text) RETURNS TABLE (tenant text, session_id text)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM require_tenant(p_tenant);
    RETURN QUERY SELECT DISTINCT s.tenant, s.session_id FROM sessions AS s WHERE p_tenant = '' OR s.tenant = p_tenant;
END $$;
