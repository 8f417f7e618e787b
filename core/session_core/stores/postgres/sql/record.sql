-- Writing the record: appends, digests and marks; each is one call, atomic by itself.
-- Numbering, strictness and the growth of the head are those of rules.py.

-- The row of a session, locked until the call is over; made when there is none.
CREATE FUNCTION held(p_tenant text, p_session_id text, p_namespace text) RETURNS sessions
LANGUAGE plpgsql AS $$
DECLARE
    s sessions;
BEGIN
    LOOP
        SELECT * INTO s FROM sessions
        WHERE tenant = p_tenant AND session_id = p_session_id AND namespace = p_namespace FOR NO KEY UPDATE;
        IF FOUND THEN
            RETURN s;
        END IF;
        INSERT INTO sessions (tenant, session_id, namespace) VALUES (p_tenant, p_session_id, p_namespace)
        ON CONFLICT DO NOTHING RETURNING * INTO s;
        IF FOUND THEN
            RETURN s;
        END IF;
    END LOOP;
END $$;

-- An unknown session stays unknown when its first append is refused.
CREATE FUNCTION let_go(s sessions) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM sessions
    WHERE tenant = s.tenant AND session_id = s.session_id AND namespace = s.namespace
      AND xmin = pg_current_xact_id()::xid
$$;

CREATE FUNCTION saved(s sessions) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
    v_state json;
BEGIN
    UPDATE sessions AS x SET
        version = s.version, tokens = s.tokens, view_tokens = s.view_tokens, first_time_s = s.first_time_s,
        last_time_s = s.last_time_s, touched = now(), messages = s.messages, turns = s.turns,
        largest_tokens = s.largest_tokens, values_kept = s.values_kept, head = s.head, active = s.active,
        open_calls = s.open_calls, authors = s.authors
    WHERE x.tenant = s.tenant AND x.session_id = s.session_id AND x.namespace = s.namespace
    RETURNING row_to_json(x) INTO v_state;
    RETURN v_state;
END $$;

-- Numbers the messages and writes the new ones; s comes back with its ledger grown, not yet saved.
-- p_fresh are the places of the new ones in the batch, p_olds and p_news what replaces what.
CREATE FUNCTION add_messages(
    INOUT s sessions, p_messages json, p_bodies bytea[], p_clips bytea[], p_revise boolean, p_strict boolean,
    OUT refusal text, OUT detail text, OUT seqs integer[], OUT fresh integer[], OUT olds integer[], OUT news integer[]
)
LANGUAGE plpgsql AS $$
DECLARE
    v_first integer := s.messages + 1;
    v_seq integer;
    v_said boolean := false;
    m record;
BEGIN
    seqs := '{}';
    fresh := '{}';
    olds := '{}';
    news := '{}';
    FOR m IN
        SELECT g.*, k.same, k.newest, k.every
        FROM json_to_recordset(p_messages) AS g (
            place integer, id text, id_hash bigint, digest uuid, role text, author text, time_s double precision,
            tokens integer, view_tokens integer, call text, calls text[], short boolean, again boolean
        ), LATERAL (
            SELECT max(x.seq) FILTER (WHERE x.digest = g.digest) AS same, max(x.seq) AS newest,
                   array_agg(x.seq ORDER BY x.seq) AS every
            FROM messages AS x WHERE x.session = s.id AND x.id_hash = g.id_hash AND x.id = g.id
        ) AS k
        ORDER BY g.place
    LOOP
        IF m.again THEN
            SELECT coalesce(max(v_first + n.k - 1) FILTER (WHERE b.digest = m.digest), m.same),
                   coalesce(max(v_first + n.k - 1), m.newest),
                   m.every || array_agg(v_first + n.k - 1 ORDER BY n.k)
            INTO m.same, m.newest, m.every
            FROM unnest(fresh) WITH ORDINALITY AS n (place, k)
            JOIN json_to_recordset(p_messages) AS b (place integer, id text, digest uuid) USING (place)
            WHERE b.id = m.id;
        END IF;
        IF m.same IS NOT NULL OR (m.newest IS NOT NULL AND m.short) THEN
            seqs := seqs || coalesce(m.same, m.newest);
            CONTINUE;
        ELSIF m.newest IS NOT NULL AND NOT p_revise THEN
            refusal := 'duplicate';
            detail := m.id;
            RETURN;
        END IF;
        fresh := fresh || m.place;
        v_seq := s.messages + cardinality(fresh);
        seqs := seqs || v_seq;
        IF m.newest IS NOT NULL THEN
            olds := olds || m.every;
            news := news || array_fill(v_seq, ARRAY[cardinality(m.every)]);
        END IF;
        IF p_strict AND m.role = 't' AND detail IS NULL AND m.call <> ALL (s.open_calls) THEN
            detail := m.call;
        END IF;
        IF m.role = 'u' THEN
            v_said := true;
            s.turns := s.turns + 1;
            IF m.author <> '' AND m.author <> ALL (s.authors) THEN
                s.authors := s.authors || m.author;
            END IF;
        END IF;
        IF m.call IS NOT NULL THEN
            s.open_calls := array_remove(s.open_calls, m.call);
        END IF;
        IF m.calls IS NOT NULL THEN
            s.open_calls := s.open_calls || m.calls;
            -- As MOST_OPEN_CALLS in ledger.py.
            s.open_calls := s.open_calls[cardinality(s.open_calls) - greatest(128, cardinality(m.calls)) + 1 :];
        END IF;
        s.tokens := s.tokens + m.tokens;
        s.view_tokens := s.view_tokens + m.view_tokens;
        s.largest_tokens := greatest(s.largest_tokens, m.tokens);
        s.first_time_s := coalesce(s.first_time_s, m.time_s);
        s.last_time_s := coalesce(m.time_s, s.last_time_s);
    END LOOP;
    IF detail IS NOT NULL THEN
        refusal := 'orphan';
        RETURN;
    END IF;
    IF cardinality(fresh) = 0 THEN
        RETURN;
    END IF;
    INSERT INTO messages (
        session, time_s, id_hash, seq, tokens, clip_tokens, digest, importance, tenant, id, author, body, clip, words
    )
    SELECT s.id, b.time_s, b.id_hash, s.messages + n.k, b.tokens, b.clip_tokens, b.digest, b.importance, s.tenant,
           b.id, b.author, b.body, b.clip, b.words
    FROM unnest(fresh) WITH ORDINALITY AS n (place, k)
    JOIN ROWS FROM (
        json_to_recordset(p_messages) AS (
            id text, id_hash bigint, digest uuid, author text, time_s double precision, tokens integer,
            clip_tokens integer, importance text, words integer[]
        ), unnest(p_bodies), unnest(p_clips)
    ) WITH ORDINALITY AS b (
        id, id_hash, digest, author, time_s, tokens, clip_tokens, importance, words, body, clip, place
    ) USING (place)
    ORDER BY n.k;
    s.messages := s.messages + cardinality(fresh);
    IF v_said THEN
        s.active := s.ready;
    END IF;
END $$;

CREATE FUNCTION append_messages(
    p_tenant text, p_session_id text, p_namespace text, p_messages json, p_bodies bytea[], p_clips bytea[],
    p_expected bigint, p_revise boolean, p_strict boolean, p_lease bigint
) RETURNS TABLE (refusal text, detail text, seqs integer[], fresh integer, tokens bigint, state json)
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    s sessions;
    r record;
    v_before bigint;
BEGIN
    SELECT * INTO s FROM sessions AS x
    WHERE x.tenant = p_tenant AND x.session_id = p_session_id AND x.namespace = p_namespace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        s := held(p_tenant, p_session_id, p_namespace);
    END IF;
    v_before := s.tokens;
    IF s.version <> p_expected THEN
        refusal := 'version';
        detail := s.version;
    ELSIF p_lease IS NOT NULL AND NOT has_turn(p_tenant, p_session_id, p_namespace, p_lease) THEN
        refusal := 'lease';
    ELSE
        r := add_messages(s, p_messages, p_bodies, p_clips, p_revise, p_strict);
        refusal := r.refusal;
        detail := r.detail;
    END IF;
    IF refusal IS NOT NULL THEN
        PERFORM let_go(s);
        RETURN NEXT;
        RETURN;
    END IF;
    seqs := r.seqs;
    fresh := cardinality(r.fresh);
    IF fresh = 0 THEN
        tokens := 0;
        state := row_to_json(s);
        RETURN NEXT;
        RETURN;
    END IF;
    s := r.s;
    s.head := grown_head(s.head, s.messages - fresh + 1, s.messages, r.olds, r.news);
    s.version := s.version + 1;
    tokens := s.tokens - v_before;
    state := saved(s);
    RETURN NEXT;
END $$;

-- Adds digest p_number behind the newest one of the session born as p_born (any, for NULL). A refusal is 'gone', or
-- 'newer' with the number that the newest one has.
CREATE FUNCTION put_digest(
    p_tenant text, p_session_id text, p_namespace text, p_number integer, p_standing bigint[], p_covers integer[],
    p_pinned integer[], p_data bytea, p_born text
) RETURNS TABLE (refusal text, newest bigint)
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' AS $$
DECLARE
    s sessions;
BEGIN
    SELECT * INTO s FROM sessions AS x
    WHERE x.tenant = p_tenant AND x.session_id = p_session_id AND x.namespace = p_namespace FOR NO KEY UPDATE;
    newest := s.ready[1];
    IF NOT FOUND OR s.born::text <> p_born THEN
        refusal := 'gone';
    ELSIF newest <> p_number - 1 THEN
        refusal := 'newer';
    ELSE
        INSERT INTO digests (session, number, tenant, covers, pinned, data)
        VALUES (s.id, p_number, p_tenant, p_covers, p_pinned, p_data);
        UPDATE sessions SET ready = p_standing, touched = now()
        WHERE tenant = p_tenant AND session_id = p_session_id AND namespace = p_namespace;
    END IF;
    RETURN NEXT;
END $$;

CREATE FUNCTION mark_session(
    p_tenant text, p_session_id text, p_namespace text, p_tier integer, p_resumed_after_seq integer,
    p_absent_s double precision, p_notice bytea, p_head integer[], p_activate boolean
) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' AS $$
DECLARE
    v_session bigint;
BEGIN
    UPDATE sessions SET
        tier = coalesce(p_tier, tier),
        resumed_after_seq = coalesce(p_resumed_after_seq, resumed_after_seq),
        absent_s = coalesce(p_absent_s, absent_s),
        version = version + (p_activate AND active <> ready)::integer + coalesce(p_head <> head, false)::integer,
        active = CASE WHEN p_activate THEN ready ELSE active END,
        head = coalesce(p_head, head),
        touched = now()
    WHERE tenant = p_tenant AND session_id = p_session_id AND namespace = p_namespace
    RETURNING id INTO v_session;
    IF v_session IS NOT NULL AND p_notice IS NOT NULL THEN
        INSERT INTO notices (session, number, tenant, data)
        SELECT v_session, coalesce(max(number), 0) + 1, p_tenant, p_notice FROM notices WHERE session = v_session;
    END IF;
    RETURN v_session IS NOT NULL;
END $$;
