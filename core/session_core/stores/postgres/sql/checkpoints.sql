-- LangGraph checkpoints: small rows that point into the record for their messages.

-- The name of a checkpoint or task as writes have it: a UUID in 17 bytes; 8 bytes are an id that a session gave (rows.py).
CREATE FUNCTION kept_name(p_name text) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p_name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN '-'::bytea || uuid_send(p_name::uuid)
        WHEN octet_length(p_name) = 7 THEN '+='::bytea || convert_to(p_name, 'UTF8')
        ELSE '='::bytea || convert_to(p_name, 'UTF8')
    END
$$;

-- What a list of messages is compared with: in the first row the state, then what the channels were at the parent, then
-- all versions that the record has of the messages.
CREATE FUNCTION read_parent(
    p_tenant text, p_session_id text, p_namespace text, p_parent_id text, p_channels text[], p_ids bytea[],
    p_id_hashes integer[]
) RETURNS TABLE (state json, name text, version bytea, part integer[], id bytea, digest uuid, seq integer)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    s sessions := found(p_tenant, p_session_id, p_namespace);
BEGIN
    IF s.id IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT row_to_json(s), NULL::text, NULL::bytea, NULL::integer[], NULL::bytea, NULL::uuid, 0;
    RETURN QUERY
    SELECT NULL::json, v.channel, v.version, v.part, NULL::bytea, NULL::uuid, 0
    FROM checkpoints AS c JOIN channel_values AS v
    ON v.session = s.id AND v.number = ANY (c.numbers) AND v.channel = ANY (p_channels)
    WHERE c.session = s.id AND c.id = p_parent_id;
    RETURN QUERY
    SELECT NULL::json, NULL::text, NULL::bytea, NULL::integer[], m.id, m.digest, m.seq
    FROM ROWS FROM (unnest(p_ids), unnest(p_id_hashes)) AS u (id, id_hash), LATERAL (
        SELECT x.id, x.digest, x.seq FROM messages AS x
        WHERE x.session::oid = s.id::oid AND x.id_hash = u.id_hash AND x.id = u.id OFFSET 0
    ) AS m ORDER BY m.seq;
END $$;

-- The same, of a session that nobody else writes to until the transaction ends; made when there is none.
CREATE FUNCTION hold_parent(
    p_tenant text, p_session_id text, p_namespace text, p_parent_id text, p_channels text[], p_ids bytea[],
    p_id_hashes integer[]
) RETURNS TABLE (state json, name text, version bytea, part integer[], id bytea, digest uuid, seq integer)
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' AS $$
BEGIN
    PERFORM held(p_tenant, p_session_id, p_namespace);
    RETURN QUERY SELECT * FROM read_parent(
        p_tenant, p_session_id, p_namespace, p_parent_id, p_channels, p_ids, p_id_hashes
    );
END $$;

-- The number of a message of a write that was put when the record had p_since messages. The graph gives one without an id
-- its id on its way into the record, so around there what it says is enough.
CREATE FUNCTION recorded(p_session integer, p_id_hash integer, p_digest uuid, p_since integer) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_seq integer;
BEGIN
    SELECT m.seq INTO v_seq FROM messages AS m
    WHERE m.session::oid = p_session::oid AND m.id_hash = p_id_hash AND m.digest = p_digest LIMIT 1;
    IF NOT FOUND THEN
        SELECT m.seq INTO v_seq FROM messages AS m
        WHERE m.session = p_session AND m.seq BETWEEN p_since - 31 AND p_since + 64 AND m.digest = p_digest LIMIT 1;
    END IF;
    RETURN v_seq;
END $$;

CREATE FUNCTION all_recorded(p_session integer, p_id_hashes integer[], p_digests uuid[], p_since integer) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    FOR i IN 1 .. cardinality(p_digests) LOOP
        IF recorded(p_session, p_id_hashes[i], p_digests[i], p_since) IS NULL THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- Frees the drafts that the record has by now, of the writes to a checkpoint and to the one before it, to which somebody may
-- have written while its child was put.
CREATE FUNCTION free_drafts(p_session integer, p_checkpoint text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_parent text;
    k record;
BEGIN
    SELECT c.parent_id INTO v_parent FROM checkpoints AS c WHERE c.session = p_session AND c.id = p_checkpoint;
    FOR k IN
        SELECT d.number, w.checkpoint, w.task_id, w.position, w.id_hashes, w.digests, w.since
        FROM writes AS w JOIN drafts AS d
        ON d.session = p_session AND d.number = w.draft AND d.checkpoint = w.checkpoint AND d.task_id = w.task_id
           AND d.position = w.position AND d.data <> ''
        WHERE w.session = p_session AND w.checkpoint IN (kept_name(p_checkpoint), kept_name(v_parent)) AND w.draft > 0
    LOOP
        IF all_recorded(p_session, k.id_hashes, k.digests, k.since) THEN
            UPDATE drafts AS d SET data = ''
            WHERE d.session = p_session AND d.number = k.number AND d.checkpoint = k.checkpoint
              AND d.task_id = k.task_id AND d.position = k.position;
        END IF;
    END LOOP;
END $$;

-- Keeps a draft in a row that is free, or in a new one; its number. The newest rows are looked at: those whose messages
-- never come into the record stay, and would be more each time.
CREATE FUNCTION keep_draft(
    p_session integer, p_tenant text, p_checkpoint bytea, p_task_id bytea, p_position integer, p_data bytea
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_newest integer;
    v_number integer;
BEGIN
    LOOP
        SELECT coalesce(max(d.number), 0) INTO v_newest FROM drafts AS d WHERE d.session = p_session;
        SELECT d.number INTO v_number FROM drafts AS d
        WHERE d.session = p_session AND d.number > v_newest - 8 AND d.data = ''
        ORDER BY d.number LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            UPDATE drafts AS d SET checkpoint = p_checkpoint, task_id = p_task_id, position = p_position, data = p_data
            WHERE d.session = p_session AND d.number = v_number;
            RETURN v_number;
        END IF;
        INSERT INTO drafts (session, number, position, tenant, checkpoint, task_id, data)
        VALUES (p_session, v_newest + 1, p_position, p_tenant, p_checkpoint, p_task_id, p_data)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN v_newest + 1;
        END IF;
    END LOOP;
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
    p_born text, p_version bigint, p_head integer[], p_turn text, p_lease bigint, p_follows boolean, p_unseen boolean,
    p_sealed boolean
) RETURNS TABLE (refusal text, newest text, fresh integer, tokens bigint, state json)
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    s sessions;
    c record;
    v_tokens bigint;
    v_messages integer;
    v_number integer;
    v_numbers integer[] := '{}';
    v_known integer[];
BEGIN
    s := held(p_tenant, p_session_id, p_namespace);
    IF p_follows THEN
        SELECT max(x.id) INTO newest FROM checkpoints AS x WHERE x.session = s.id;
        -- One that is stored already is put again because an answer got lost.
        IF newest IS DISTINCT FROM p_parent_id AND NOT EXISTS (
            SELECT FROM checkpoints AS x WHERE x.session = s.id AND x.id = p_id
        ) THEN
            refusal := 'moved';
        END IF;
    END IF;
    IF p_lease IS NOT NULL AND NOT has_turn(p_tenant, p_session_id, p_turn, p_lease) THEN
        refusal := 'lease';
    ELSIF s.sealed AND NOT p_sealed THEN
        refusal := 'sealed';
    END IF;
    IF refusal IS NOT NULL THEN
        PERFORM let_go(s);
        RETURN NEXT;
        RETURN;
    END IF;
    IF ARRAY[s.version, s.messages, s.values_kept] <> p_read OR s.born::text <> p_born OR (p_unseen AND EXISTS (
        SELECT FROM json_to_recordset(p_messages) AS g (id bytea, id_hash integer), LATERAL (
            SELECT FROM messages AS x
            WHERE x.session::oid = s.id::oid AND x.id_hash = g.id_hash AND x.id = g.id OFFSET 0
        ) AS m
    )) THEN
        PERFORM let_go(s);
        RETURN;
    END IF;
    v_tokens := s.tokens;
    v_messages := s.messages;
    IF json_array_length(p_messages) > 0 THEN
        s := (add_messages(s, p_messages, p_bodies, p_clips, true, false)).s;
    END IF;
    PERFORM free_drafts(s.id, p_parent_id);
    s.sealed := s.sealed OR p_sealed;
    s.version := coalesce(p_version, s.version);
    s.head := coalesce(p_head, s.head);
    -- A value that stays is its parent's; only of a checkpoint whose parent is not here it is looked for among all.
    SELECT array_agg(n.number) INTO v_known FROM checkpoints AS x, unnest(x.numbers) AS n (number)
    WHERE x.session = s.id AND x.id IN (p_parent_id, p_id);
    FOR c IN
        SELECT x.*, v.number FROM ROWS FROM (
            json_to_recordset(p_channels) AS (channel text, version bytea, kind text, type text, part integer[]),
            unnest(p_data)
        ) WITH ORDINALITY AS x (channel, version, kind, type, part, data, place)
        LEFT JOIN LATERAL (
            SELECT max(v.number) AS number FROM channel_values AS v
            WHERE v.session = s.id AND v.number = ANY (v_known) AND v.channel = x.channel AND v.version = x.version
        ) AS v ON true
        ORDER BY x.place
    LOOP
        v_number := c.number;
        IF v_number IS NULL AND c.kind = 'same' THEN
            SELECT max(v.number) INTO v_number FROM channel_values AS v
            WHERE v.session = s.id AND v.channel = c.channel AND v.version = c.version;
        END IF;
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

-- Writes that tasks made in one go, as rows of the table; of one task and position with a position below 0 the newer stays,
-- else the older. What has its place in part taken is not stored: its places that are free come back, to be given apart.
CREATE FUNCTION put_writes(
    p_tenant text, p_session_id text, p_namespace text, p_checkpoint text, p_writes json, p_data bytea[],
    p_drafts bytea[], p_sealed boolean
) RETURNS TABLE (refusal text, task text, place integer)
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    v_session integer;
    v_since integer := 0;
    v_sealed boolean;
    v_checkpoint bytea := kept_name(p_checkpoint);
    v_taken integer[];
    v_draft integer;
    g record;
BEGIN
    -- Tasks of one step write at the same time; only a deletion must wait for them.
    SELECT s.id, s.messages, s.sealed INTO v_session, v_since, v_sealed FROM sessions AS s
    WHERE s.tenant = p_tenant AND s.session_id = p_session_id AND s.namespace = p_namespace FOR KEY SHARE;
    IF NOT FOUND THEN
        SELECT h.id, 0, h.sealed INTO v_session, v_since, v_sealed
        FROM held(p_tenant, p_session_id, p_namespace) AS h;
    END IF;
    IF v_sealed AND NOT p_sealed THEN
        refusal := 'sealed';
        RETURN NEXT;
        RETURN;
    ELSIF p_sealed AND NOT v_sealed THEN
        UPDATE sessions AS s SET sealed = true WHERE s.id = v_session;
    END IF;
    FOR g IN
        SELECT x.*, kept_name(x.task_id) AS kept FROM ROWS FROM (
            json_to_recordset(p_writes) AS (
                position integer, last integer, task_id text, id_hashes integer[], digests uuid[]
            ), unnest(p_data), unnest(p_drafts)
        ) AS x (position, last, task_id, id_hashes, digests, data, draft)
    LOOP
        IF g.position < 0 THEN
            DELETE FROM writes AS w
            WHERE w.session = v_session AND w.checkpoint = v_checkpoint AND w.task_id = g.kept AND w.position = g.position
            RETURNING w.draft INTO v_draft;
            UPDATE drafts AS d SET data = ''
            WHERE d.session = v_session AND d.number = v_draft AND d.checkpoint = v_checkpoint AND d.task_id = g.kept
              AND d.position = g.position;
        ELSE
            SELECT array_agg(n) INTO v_taken FROM writes AS w, generate_series(w.position, w.last) AS n
            WHERE w.session = v_session AND w.checkpoint = v_checkpoint AND w.task_id = g.kept
              AND w.position >= 0 AND g.position <= n AND n <= g.last;
            IF v_taken IS NOT NULL THEN
                RETURN QUERY
                SELECT NULL, g.task_id, n FROM generate_series(g.position, g.last) AS n WHERE n <> ALL (v_taken);
                CONTINUE;
            END IF;
        END IF;
        v_draft := 0;
        IF g.draft IS NOT NULL AND NOT all_recorded(v_session, g.id_hashes, g.digests, v_since) THEN
            v_draft := keep_draft(v_session, p_tenant, v_checkpoint, g.kept, g.position, g.draft);
        END IF;
        INSERT INTO writes AS w (
            session, position, last, since, draft, tenant, checkpoint, task_id, data, id_hashes, digests
        )
        VALUES (
            v_session, g.position, g.last, v_since, v_draft, p_tenant, v_checkpoint, g.kept, g.data, g.id_hashes,
            g.digests
        )
        ON CONFLICT (session, checkpoint, task_id, position) DO UPDATE SET
            since = excluded.since, draft = excluded.draft, data = excluded.data, id_hashes = excluded.id_hashes,
            digests = excluded.digests
        WHERE excluded.position < 0;
    END LOOP;
END $$;

-- A checkpoint: itself in the first row, then its values, its writes with their drafts, and the bodies that the record has
-- of them. With p_channels only the values of these.
CREATE FUNCTION whole_checkpoint(p_session integer, p_id text, p_channels text[])
RETURNS TABLE (
    kind text, name text, other text, run text, key bytea, number integer, type text, data bytea, part integer[],
    digests uuid[], draft bytea
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    c checkpoints;
    v_checkpoint bytea;
BEGIN
    SELECT * INTO c FROM checkpoints AS x WHERE x.session = p_session AND x.id = p_id;
    v_checkpoint := kept_name(c.id);
    RETURN QUERY
    SELECT 'checkpoint', c.id, c.parent_id, c.run_id, NULL::bytea, 0, c.type, c.data, NULL::integer[], NULL::uuid[],
           NULL::bytea;
    RETURN QUERY
    SELECT 'value', v.channel, NULL::text, NULL::text, v.version, 0, v.type, v.data, v.part, NULL::uuid[], NULL::bytea
    FROM unnest(c.numbers) WITH ORDINALITY AS n (number, place)
    JOIN channel_values AS v ON v.session = p_session AND v.number = n.number
    WHERE p_channels IS NULL OR v.channel = ANY (p_channels) ORDER BY n.place;
    IF NOT EXISTS (SELECT FROM writes AS w WHERE w.session = p_session AND w.checkpoint = v_checkpoint) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'write', NULL::text, NULL::text, NULL::text, w.task_id, w.position, NULL::text, w.data, NULL::integer[],
           w.digests, (
               SELECT d.data FROM drafts AS d
               WHERE d.session = p_session AND d.number = w.draft AND d.checkpoint = w.checkpoint
                 AND d.task_id = w.task_id AND d.position = w.position AND d.data <> ''
           )
    FROM writes AS w WHERE w.session = p_session AND w.checkpoint = v_checkpoint;
    RETURN QUERY
    SELECT DISTINCT ON (u.digest) 'body', NULL::text, NULL::text, NULL::text, NULL::bytea, 0, NULL::text, m.body,
           NULL::integer[], ARRAY[u.digest], NULL::bytea
    FROM writes AS w CROSS JOIN ROWS FROM (unnest(w.id_hashes), unnest(w.digests)) AS u (id_hash, digest)
    CROSS JOIN LATERAL (
        SELECT x.body FROM messages AS x
        WHERE x.session = p_session AND x.seq = recorded(p_session, u.id_hash, u.digest, w.since) OFFSET 0
    ) AS m
    WHERE w.session = p_session AND w.checkpoint = v_checkpoint;
END $$;

-- One checkpoint, or the newest.
CREATE FUNCTION read_checkpoint(p_tenant text, p_session_id text, p_namespace text, p_id text)
RETURNS TABLE (
    kind text, name text, other text, run text, key bytea, number integer, type text, data bytea, part integer[],
    digests uuid[], draft bytea
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
    versions bytea[]
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
