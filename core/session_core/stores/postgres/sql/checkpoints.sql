-- LangGraph checkpoints: small rows that point into the record for their messages.

-- What a list of messages is compared with: in the first row the state, then what the channels were at the parent, then
-- all versions that the record has of the messages.
CREATE FUNCTION read_parent(
    p_tenant text, p_session_id text, p_namespace text, p_parent_id text, p_channels text[], p_ids bytea[],
    p_id_hashes integer[]
) RETURNS TABLE (state json, name text, version text, part integer[], id bytea, digest uuid, seq integer)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    s sessions := found(p_tenant, p_session_id, p_namespace);
BEGIN
    IF s.id IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT row_to_json(s), NULL::text, NULL::text, NULL::integer[], NULL::bytea, NULL::uuid, 0;
    RETURN QUERY
    SELECT NULL::json, v.channel, v.version, v.part, NULL::bytea, NULL::uuid, 0
    FROM checkpoints AS c JOIN channel_values AS v
    ON v.session = s.id AND v.number = ANY (c.numbers) AND v.channel = ANY (p_channels)
    WHERE c.session = s.id AND c.id = p_parent_id;
    RETURN QUERY
    SELECT NULL::json, NULL::text, NULL::text, NULL::integer[], m.id, m.digest, m.seq
    FROM ROWS FROM (unnest(p_ids), unnest(p_id_hashes)) AS u (id, id_hash)
    JOIN messages AS m ON m.session = s.id AND m.id_hash = u.id_hash AND m.id = u.id ORDER BY m.seq;
END $$;

-- The same, of a session that nobody else writes to until the transaction ends; made when there is none.
CREATE FUNCTION hold_parent(
    p_tenant text, p_session_id text, p_namespace text, p_parent_id text, p_channels text[], p_ids bytea[],
    p_id_hashes integer[]
) RETURNS TABLE (state json, name text, version text, part integer[], id bytea, digest uuid, seq integer)
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' AS $$
BEGIN
    PERFORM held(p_tenant, p_session_id, p_namespace);
    RETURN QUERY SELECT * FROM read_parent(
        p_tenant, p_session_id, p_namespace, p_parent_id, p_channels, p_ids, p_id_hashes
    );
END $$;

-- p_channels are all channels in their order: kind 'same' (stored before), 'empty', 'plain' or 'list'. p_messages are new
-- to the record, p_version and p_head what the session has then (NULL: as it has). All this was decided on p_read: the
-- version, messages and values of the session born as p_born. When it has others by now nothing is done, and no row given.
-- The same, with p_unseen, when the record has a message of them all the same: nobody has looked for them.
-- A refusal is 'lease' when the turn of namespace p_turn is not that of p_lease, or 'moved' when p_follows and the newest
-- checkpoint is not the parent.
CREATE FUNCTION put_checkpoint(
    p_tenant text, p_session_id text, p_namespace text, p_id text, p_parent_id text, p_run_id text, p_type text,
    p_body bytea, p_channels json, p_data bytea[], p_messages json, p_bodies bytea[], p_clips bytea[], p_read bigint[],
    p_born text, p_version bigint, p_head integer[], p_turn text, p_lease bigint, p_follows boolean, p_unseen boolean
) RETURNS TABLE (refusal text, newest text, fresh integer, tokens bigint, state json)
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    s sessions;
    c record;
    v_tokens bigint;
    v_messages integer;
    v_number integer;
    v_numbers integer[] := '{}';
BEGIN
    s := held(p_tenant, p_session_id, p_namespace);
    IF p_follows THEN
        SELECT max(x.id) INTO newest FROM checkpoints AS x WHERE x.session = s.id;
        IF newest IS DISTINCT FROM p_parent_id THEN
            refusal := 'moved';
        END IF;
    END IF;
    IF p_lease IS NOT NULL AND NOT has_turn(p_tenant, p_session_id, p_turn, p_lease) THEN
        refusal := 'lease';
    END IF;
    IF refusal IS NOT NULL THEN
        PERFORM let_go(s);
        RETURN NEXT;
        RETURN;
    END IF;
    IF ARRAY[s.version, s.messages, s.values_kept] <> p_read OR s.born::text <> p_born OR (p_unseen AND EXISTS (
        SELECT FROM json_to_recordset(p_messages) AS g (id bytea, id_hash integer)
        JOIN messages AS m ON m.session = s.id AND m.id_hash = g.id_hash AND m.id = g.id
    )) THEN
        PERFORM let_go(s);
        RETURN;
    END IF;
    v_tokens := s.tokens;
    v_messages := s.messages;
    IF json_array_length(p_messages) > 0 THEN
        s := (add_messages(s, p_messages, p_bodies, p_clips, true, false)).s;
        DELETE FROM drafts AS d USING messages AS m
        WHERE d.session = s.id AND m.session = s.id AND m.seq > v_messages AND m.digest = d.digest AND m.id = d.id;
    END IF;
    s.version := coalesce(p_version, s.version);
    s.head := coalesce(p_head, s.head);
    FOR c IN
        SELECT x.*, v.number FROM ROWS FROM (
            json_to_recordset(p_channels) AS (channel text, version text, kind text, type text, part integer[]),
            unnest(p_data)
        ) WITH ORDINALITY AS x (channel, version, kind, type, part, data, place)
        LEFT JOIN channel_values AS v ON v.session = s.id AND v.channel = x.channel AND v.version = x.version
        ORDER BY x.place
    LOOP
        v_number := c.number;
        IF v_number IS NULL THEN
            s.values_kept := s.values_kept + 1;
            v_number := s.values_kept;
            INSERT INTO channel_values (session, number, tenant, channel, version, type, data, part)
            VALUES (s.id, v_number, p_tenant, c.channel, c.version, c.type, c.data, c.part);
        ELSIF c.kind <> 'same' THEN
            UPDATE channel_values SET type = c.type, data = c.data, part = c.part
            WHERE session = s.id AND number = v_number;
        END IF;
        v_numbers := v_numbers || v_number;
    END LOOP;
    INSERT INTO checkpoints (session, tenant, id, parent_id, run_id, type, data, numbers)
    VALUES (s.id, p_tenant, p_id, p_parent_id, p_run_id, p_type, p_body, v_numbers)
    ON CONFLICT (session, id) DO UPDATE SET
        parent_id = excluded.parent_id, run_id = excluded.run_id, type = excluded.type, data = excluded.data,
        numbers = excluded.numbers;
    fresh := s.messages - v_messages;
    tokens := s.tokens - v_tokens;
    PERFORM save(s);
    state := row_to_json(s);
    RETURN NEXT;
END $$;

-- Writes of one task and position: with a position below 0 the newer stays, else the older.
CREATE FUNCTION put_writes(
    p_tenant text, p_session_id text, p_namespace text, p_checkpoint text, p_writes json, p_data bytea[],
    p_drafts json, p_bodies bytea[]
) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    v_session bigint;
BEGIN
    -- Tasks of one step write at the same time; only a deletion must wait for them.
    SELECT s.id INTO v_session FROM sessions AS s
    WHERE s.tenant = p_tenant AND s.session_id = p_session_id AND s.namespace = p_namespace FOR KEY SHARE;
    IF NOT FOUND THEN
        v_session := (held(p_tenant, p_session_id, p_namespace)).id;
    END IF;
    INSERT INTO writes AS w (
        session, position, tenant, checkpoint, task_id, task_path, channel, type, data, ids, id_hashes, digests
    )
    SELECT v_session, x.position, p_tenant, p_checkpoint, x.task_id, x.task_path, x.channel, x.type, x.data, x.ids,
           x.id_hashes, x.digests
    FROM ROWS FROM (
        json_to_recordset(p_writes) AS (
            position integer, task_id text, task_path text, channel text, type text, ids bytea[], id_hashes integer[],
            digests uuid[]
        ), unnest(p_data)
    ) AS x (position, task_id, task_path, channel, type, ids, id_hashes, digests, data)
    ON CONFLICT (session, checkpoint, task_id, position) DO UPDATE SET
        task_path = excluded.task_path, channel = excluded.channel, type = excluded.type, data = excluded.data,
        ids = excluded.ids, id_hashes = excluded.id_hashes, digests = excluded.digests
    WHERE excluded.position < 0;
    IF cardinality(p_bodies) > 0 THEN
        INSERT INTO drafts (session, digest, tenant, id, body)
        SELECT v_session, d.digest, p_tenant, d.id, d.body FROM ROWS FROM (
            json_to_recordset(p_drafts) AS (id bytea, id_hash integer, digest uuid), unnest(p_bodies)
        ) AS d (id, id_hash, digest, body)
        WHERE NOT EXISTS (
            SELECT FROM messages AS m
            WHERE m.session = v_session AND m.id_hash = d.id_hash AND m.id = d.id AND m.digest = d.digest
        )
        ON CONFLICT DO NOTHING;
    END IF;
END $$;

-- A checkpoint: itself in the first row, then its values, its writes, and the bodies these name. With p_channels only the
-- values and writes of these.
CREATE FUNCTION whole_checkpoint(p_session bigint, p_id text, p_channels text[])
RETURNS TABLE (
    kind text, name text, other text, path text, number integer, type text, data bytea, part integer[], digest uuid
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    c checkpoints;
BEGIN
    SELECT * INTO c FROM checkpoints AS x WHERE x.session = p_session AND x.id = p_id;
    RETURN QUERY SELECT 'checkpoint', c.id, c.parent_id, c.run_id, 0, c.type, c.data, NULL::integer[], NULL::uuid;
    RETURN QUERY
    SELECT 'value', v.channel, v.version, NULL::text, 0, v.type, v.data, v.part, NULL::uuid
    FROM unnest(c.numbers) WITH ORDINALITY AS n (number, place)
    JOIN channel_values AS v ON v.session = p_session AND v.number = n.number
    WHERE p_channels IS NULL OR v.channel = ANY (p_channels) ORDER BY n.place;
    RETURN QUERY
    SELECT 'write', w.task_id, w.channel, w.task_path, w.position, w.type, w.data, NULL::integer[], NULL::uuid
    FROM writes AS w
    WHERE w.session = p_session AND w.checkpoint = c.id AND (p_channels IS NULL OR w.channel = ANY (p_channels))
    ORDER BY w.task_path, w.task_id, w.position;
    RETURN QUERY
    SELECT DISTINCT ON (u.digest) 'body', NULL::text, NULL::text, NULL::text, 0, NULL::text, coalesce(
        (SELECT m.body FROM messages AS m
         WHERE m.session = p_session AND m.id_hash = u.id_hash AND m.id = u.id AND m.digest = u.digest LIMIT 1),
        (SELECT d.body FROM drafts AS d WHERE d.session = p_session AND d.digest = u.digest LIMIT 1)
    ), NULL::integer[], u.digest
    FROM writes AS w, ROWS FROM (unnest(w.ids), unnest(w.id_hashes), unnest(w.digests)) AS u (id, id_hash, digest)
    WHERE w.session = p_session AND w.checkpoint = c.id AND (p_channels IS NULL OR w.channel = ANY (p_channels));
END $$;

-- One checkpoint, or the newest.
CREATE FUNCTION read_checkpoint(p_tenant text, p_session_id text, p_namespace text, p_id text)
RETURNS TABLE (
    kind text, name text, other text, path text, number integer, type text, data bytea, part integer[], digest uuid
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    s sessions := found(p_tenant, p_session_id, p_namespace);
    v_id text;
BEGIN
    SELECT x.id INTO v_id FROM checkpoints AS x
    WHERE x.session = s.id AND (p_id IS NULL OR x.id = p_id) ORDER BY x.id DESC LIMIT 1;
    IF FOUND THEN
        RETURN QUERY SELECT * FROM whole_checkpoint(s.id, v_id, NULL);
    END IF;
END $$;

-- What is asked for is optional: NULL matches all.
CREATE FUNCTION list_checkpoints(p_tenant text, p_session_id text, p_namespace text, p_before text)
RETURNS TABLE (
    session_id text, namespace text, id text, parent_id text, run_id text, type text, data bytea, channels text[],
    versions text[]
)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT s.session_id, s.namespace, c.id, c.parent_id, c.run_id, c.type, c.data, v.channels, v.versions
    FROM sessions AS s JOIN checkpoints AS c ON c.session = s.id CROSS JOIN LATERAL (
        SELECT array_agg(v.channel ORDER BY n.place) AS channels, array_agg(v.version ORDER BY n.place) AS versions
        FROM unnest(c.numbers) WITH ORDINALITY AS n (number, place)
        JOIN channel_values AS v ON v.session = s.id AND v.number = n.number
    ) AS v
    WHERE s.tenant = p_tenant AND (p_session_id IS NULL OR s.session_id = p_session_id)
      AND (p_namespace IS NULL OR s.namespace = p_namespace) AND (p_before IS NULL OR c.id < p_before)
    ORDER BY c.id DESC
$$;
