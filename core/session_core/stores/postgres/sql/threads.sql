-- Whole threads: what a checkpoint stands on, what a run stored, what is dropped, copies.

-- The checkpoints that one stands on, its parent first, each as whole_checkpoint gives it, until each of p_channels has had
-- a value.
CREATE FUNCTION read_ancestors(p_tenant text, p_session_id text, p_namespace text, p_id text, p_channels text[])
RETURNS TABLE (
    kind text, name text, other text, run text, key bytea, number integer, type text, data bytea, part integer[],
    digests uuid[], draft bytea
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    s sessions := found(p_tenant, p_session_id, p_namespace);
    c checkpoints;
    v_missing text[] := p_channels;
    v_seen text[] := ARRAY[p_id];
BEGIN
    SELECT * INTO c FROM checkpoints AS x WHERE x.session = s.id AND x.id = p_id;
    WHILE c.parent_id <> ALL (v_seen) AND cardinality(v_missing) > 0 LOOP
        v_seen := v_seen || c.parent_id;
        SELECT * INTO c FROM checkpoints AS x WHERE x.session = s.id AND x.id = c.parent_id;
        EXIT WHEN NOT FOUND;
        RETURN QUERY SELECT * FROM whole_checkpoint(s.id, c.id, p_channels);
        v_missing := ARRAY(
            SELECT unnest(v_missing) EXCEPT
            SELECT v.channel FROM channel_values AS v
            WHERE v.session = s.id AND v.number = ANY (c.numbers) AND (v.data IS NOT NULL OR v.part IS NOT NULL)
        );
    END LOOP;
END $$;

-- What some runs stored, of all sessions.
CREATE FUNCTION list_of_runs(p_tenant text, p_run_ids text[])
RETURNS TABLE (
    session_id text, namespace text, id text, parent_id text, run_id text, type text, data bytea, channels text[],
    versions bytea[]
)
LANGUAGE sql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
    SELECT s.session_id, s.namespace, c.id, c.parent_id, c.run_id, c.type, c.data, v.channels, v.versions
    FROM checkpoints AS c JOIN sessions AS s ON s.id = c.session AND s.tenant = p_tenant CROSS JOIN LATERAL (
        SELECT array_agg(v.channel ORDER BY n.place) AS channels, array_agg(v.version ORDER BY n.place) AS versions
        FROM unnest(c.numbers) WITH ORDINALITY AS n (number, place)
        JOIN channel_values AS v ON v.session = s.id AND v.number = n.number
    ) AS v
    WHERE c.tenant = p_tenant AND c.run_id = ANY (p_run_ids)
    ORDER BY c.id DESC
$$;

-- For each checkpoint with a list of messages under one of p_channels, the first that has one: the part that it is.
CREATE FUNCTION read_parts(p_tenant text, p_session_id text, p_namespace text, p_channels text[])
RETURNS TABLE (id text, part integer[])
LANGUAGE sql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
    SELECT c.id, v.part FROM sessions AS s JOIN checkpoints AS c ON c.session = s.id CROSS JOIN LATERAL (
        SELECT v.part FROM channel_values AS v
        WHERE v.session = s.id AND v.number = ANY (c.numbers) AND v.channel = ANY (p_channels) AND v.part IS NOT NULL
        ORDER BY array_position(p_channels, v.channel) LIMIT 1
    ) AS v
    WHERE s.tenant = p_tenant AND s.session_id = p_session_id AND s.namespace = p_namespace
$$;

-- Removes checkpoints, their writes and drafts, and the values that nothing else names. Of p_children each gets the parent
-- at the same place. A refusal is the version that the session has.
CREATE FUNCTION drop_checkpoints(
    p_tenant text, p_session_id text, p_namespace text, p_ids text[], p_children text[], p_parents text[],
    p_head integer[], p_expected bigint
) RETURNS TABLE (refusal bigint)
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    s sessions;
    v_numbers integer[];
BEGIN
    SELECT * INTO s FROM sessions AS x
    WHERE x.tenant = p_tenant AND x.session_id = p_session_id AND x.namespace = p_namespace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF s.version <> p_expected THEN
        refusal := s.version;
        RETURN NEXT;
        RETURN;
    END IF;
    WITH gone AS (DELETE FROM checkpoints AS c WHERE c.session = s.id AND c.id = ANY (p_ids) RETURNING c.numbers)
    SELECT array_agg(DISTINCT n.number) INTO v_numbers FROM gone, unnest(gone.numbers) AS n (number);
    DELETE FROM channel_values AS v WHERE v.session = s.id AND v.number IN (
        SELECT unnest(v_numbers) EXCEPT
        SELECT n.number FROM checkpoints AS c, unnest(c.numbers) AS n (number) WHERE c.session = s.id
    );
    DELETE FROM writes AS w
    WHERE w.session = s.id AND w.checkpoint IN (SELECT kept_name(g.id) FROM unnest(p_ids) AS g (id));
    DELETE FROM drafts AS d
    WHERE d.session = s.id AND d.checkpoint IN (SELECT kept_name(g.id) FROM unnest(p_ids) AS g (id));
    UPDATE checkpoints AS c SET parent_id = p.parent
    FROM ROWS FROM (unnest(p_children), unnest(p_parents)) AS p (child, parent)
    WHERE c.session = s.id AND c.id = p.child;
    IF p_head <> s.head THEN
        s.head := p_head;
        s.version := s.version + 1;
    END IF;
    PERFORM save(s);
END $$;

-- Makes a session called p_target of all that one holds; false when there is one of that name.
CREATE FUNCTION copy_session(p_tenant text, p_session_id text, p_target text) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    s sessions;
    t sessions;
BEGIN
    PERFORM FROM sessions AS x WHERE x.tenant = p_tenant AND x.session_id = p_target;
    IF FOUND THEN
        RETURN false;
    END IF;
    FOR s IN
        SELECT * FROM sessions AS x
        WHERE x.tenant = p_tenant AND x.session_id = p_session_id ORDER BY x.namespace FOR NO KEY UPDATE
    LOOP
        t := s;
        t.id := nextval('session_numbers');
        t.session_id := p_target;
        t.born := gen_random_uuid();
        t.touched := now();
        INSERT INTO sessions SELECT t.* ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'the copy is there';
        END IF;
        INSERT INTO messages (
            session, time_s, id_hash, seq, tokens, digest, body, words, clip, id, tenant, importance, author
        )
        SELECT t.id, time_s, id_hash, seq, tokens, digest, body, words, clip, id, tenant, importance, author
        FROM messages WHERE session = s.id ORDER BY seq;
        INSERT INTO digests (session, number, part, tenant, covers, pinned, data)
        SELECT t.id, number, part, tenant, covers, pinned, data FROM digests
        WHERE session = s.id ORDER BY number, part;
        INSERT INTO notices (session, number, tenant, data)
        SELECT t.id, number, tenant, data FROM notices WHERE session = s.id;
        INSERT INTO checkpoints (session, tenant, id, parent_id, run_id, type, data, numbers)
        SELECT t.id, tenant, id, parent_id, run_id, type, data, numbers FROM checkpoints WHERE session = s.id;
        INSERT INTO channel_values (session, number, tenant, channel, version, type, data, part)
        SELECT t.id, number, tenant, channel, version, type, data, part FROM channel_values WHERE session = s.id;
        INSERT INTO writes (
            session, position, last, since, draft, tenant, checkpoint, task_id, data, id_hashes, digests
        )
        SELECT t.id, position, last, since, draft, tenant, checkpoint, task_id, data, id_hashes, digests
        FROM writes WHERE session = s.id;
        INSERT INTO drafts (session, number, position, tenant, checkpoint, task_id, data)
        SELECT t.id, number, position, tenant, checkpoint, task_id, data FROM drafts WHERE session = s.id;
    END LOOP;
    RETURN true;
EXCEPTION
    -- Somebody else made one of that name meanwhile; nothing of this call stays.
    WHEN unique_violation THEN
        RETURN false;
END $$;

-- The states of a session and its namespaces, each with all of its digests.
CREATE FUNCTION list_holdings(p_tenant text, p_session_id text) RETURNS TABLE (state json, digests bytea[])
LANGUAGE sql STABLE SET search_path FROM CURRENT SET enable_seqscan = off AS $$
    SELECT row_to_json(s), ARRAY(
        SELECT string_agg(d.data, '' ORDER BY d.part) FROM digests AS d
        WHERE d.session = s.id GROUP BY d.number ORDER BY d.number
    )
    FROM sessions AS s WHERE s.tenant = p_tenant AND s.session_id = p_session_id ORDER BY s.namespace
$$;
