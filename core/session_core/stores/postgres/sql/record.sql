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

CREATE FUNCTION save(s sessions) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sessions AS x SET
        version = s.version, tokens = s.tokens, view_tokens = s.view_tokens, first_time_s = s.first_time_s,
        last_time_s = s.last_time_s, touched = now(), messages = s.messages, turns = s.turns,
        largest_tokens = s.largest_tokens, values_kept = s.values_kept, head = s.head, active = s.active,
        open_calls = s.open_calls, authors = s.authors, sealed = s.sealed
    WHERE x.tenant = s.tenant AND x.session_id = s.session_id AND x.namespace = s.namespace;
END $$;

-- Whether a head has none of the numbers of a message.
CREATE FUNCTION has_left(p_head integer[], p_every integer[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM pairs(p_head) AS p, unnest(p_every) AS n (seq) WHERE n.seq BETWEEN p.first AND p.last
    )
$$;

-- Which numbers of known messages come back to the head that they left, as rules.py has it; NULL for none. p_seqs are
-- the numbers of the batch, p_last the newest one before it.
CREATE FUNCTION coming_back(p_session integer, p_head integer[], p_last integer, p_messages json, p_seqs integer[])
RETURNS integer[]
LANGUAGE sql STABLE AS $$
    WITH given AS MATERIALIZED (
        SELECT n.seq, n.place, g.id, g.id_hash, g.role
        FROM unnest(p_seqs) WITH ORDINALITY AS n (seq, place)
        JOIN json_to_recordset(p_messages) AS g (place integer, id bytea, id_hash integer, role text) USING (place)
    ), back AS (
        SELECT DISTINCT ON (g.id) g.seq, g.role FROM given AS g, LATERAL (
            SELECT array_agg(x.seq) AS every FROM messages AS x
            WHERE x.session::oid = p_session::oid AND x.id_hash = g.id_hash AND x.id = g.id
        ) AS k
        WHERE p_last >= ALL (k.every) AND has_left(p_head, k.every)
        ORDER BY g.id, g.place
    )
    SELECT array_agg(seq) FROM back HAVING NOT (
        bool_or(role = 'u') AND coalesce((SELECT bool_or(role = 'u') FROM given WHERE seq > p_last), false)
    )
$$;

-- The head with numbers of a batch behind it, each once.
CREATE FUNCTION head_with(p_head integer[], p_seqs integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_end integer := cardinality(p_head);
    v_seq integer;
BEGIN
    FOR v_seq IN
        SELECT n.seq FROM unnest(p_seqs) WITH ORDINALITY AS n (seq, place) GROUP BY n.seq ORDER BY min(n.place)
    LOOP
        IF v_end > 0 AND p_head[v_end] = v_seq - 1 THEN
            p_head[v_end] := v_seq;
        ELSE
            p_head := p_head || v_seq || v_seq;
            v_end := v_end + 2;
        END IF;
    END LOOP;
    RETURN p_head;
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
            place integer, id bytea, id_hash integer, digest uuid, role text, author text, time_s double precision,
            tokens integer, view_tokens integer, call text, calls text[], short boolean, again boolean
        ), LATERAL (
            SELECT max(x.seq) FILTER (WHERE x.digest = g.digest) AS same, max(x.seq) AS newest,
                   array_agg(x.seq ORDER BY x.seq) AS every
            FROM messages AS x WHERE x.session::oid = s.id::oid AND x.id_hash = g.id_hash AND x.id = g.id
        ) AS k
        ORDER BY g.place
    LOOP
        IF m.again THEN
            SELECT coalesce(max(v_first + n.k - 1) FILTER (WHERE b.digest = m.digest), m.same),
                   coalesce(max(v_first + n.k - 1), m.newest),
                   m.every || array_agg(v_first + n.k - 1 ORDER BY n.k)
            INTO m.same, m.newest, m.every
            FROM unnest(fresh) WITH ORDINALITY AS n (place, k)
            JOIN json_to_recordset(p_messages) AS b (place integer, id bytea, digest uuid) USING (place)
            WHERE b.id = m.id;
        END IF;
        IF m.same IS NOT NULL OR (m.newest IS NOT NULL AND m.short) THEN
            seqs := seqs || coalesce(m.same, m.newest);
            CONTINUE;
        ELSIF m.newest IS NOT NULL AND NOT p_revise AND (m.again OR NOT has_left(s.head, m.every)) THEN
            refusal := 'duplicate';
            detail := encode(m.id, 'hex');
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
            IF m.author NOT IN ('', '\') AND m.author <> ALL (s.authors) THEN
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
        session, time_s, id_hash, seq, tokens, digest, importance, tenant, id, author, body, clip, words
    )
    SELECT s.id, b.time_s, b.id_hash, s.messages + n.k, b.tokens, b.digest, b.importance, said_tenant(s.tenant), b.id,
           b.author, b.body, b.clip, b.words
    FROM unnest(fresh) WITH ORDINALITY AS n (place, k)
    JOIN ROWS FROM (
        json_to_recordset(p_messages) AS (
            id bytea, id_hash integer, digest uuid, author text, time_s double precision, tokens integer,
            importance text, words bytea
        ), unnest(p_bodies), unnest(p_clips)
    ) WITH ORDINALITY AS b (
        id, id_hash, digest, author, time_s, tokens, importance, words, body, clip, place
    ) USING (place)
    ORDER BY n.k;
    s.messages := s.messages + cardinality(fresh);
    IF v_said THEN
        s.active := s.ready;
    END IF;
END $$;

-- What an append comes to: a refusal, or the numbers, how many messages were new, their price; and the session then, as
-- record_send writes its row: one column is there sooner than twenty. Without numbers, the one message is the newest.
CREATE TYPE appended AS (refusal text, detail text, seqs integer[], fresh integer, price bigint, session bytea);

CREATE FUNCTION append_messages(
    p_tenant text, p_session_id text, p_namespace text, p_messages json, p_bodies bytea[], p_clips bytea[],
    p_expected bigint, p_revise boolean, p_strict boolean, p_lease bigint, p_sealed boolean
) RETURNS appended
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    s sessions;
    a appended;
    r record;
    v_before bigint;
    v_fresh integer;
    v_last integer;
    v_back integer[];
BEGIN
    SELECT * INTO s FROM sessions AS x
    WHERE x.tenant = p_tenant AND x.session_id = p_session_id AND x.namespace = p_namespace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        s := held(p_tenant, p_session_id, p_namespace);
    END IF;
    v_before := s.tokens;
    v_last := s.messages;
    -- A call that was repeated because its answer got lost finds its own messages, and is no conflict.
    IF s.version <> p_expected AND EXISTS (
        SELECT FROM json_to_recordset(p_messages) AS g (id bytea, id_hash integer, digest uuid, short boolean)
        WHERE NOT EXISTS (
            SELECT FROM messages AS m
            WHERE m.session::oid = s.id::oid AND m.id_hash = g.id_hash AND m.id = g.id
              AND (m.digest = g.digest OR g.short) OFFSET 0
        )
    ) THEN
        a.refusal := 'version';
        a.detail := s.version;
    ELSIF p_lease IS NOT NULL AND NOT has_turn(p_tenant, p_session_id, p_namespace, p_lease) THEN
        a.refusal := 'lease';
    ELSIF s.sealed AND NOT p_sealed THEN
        a.refusal := 'sealed';
    ELSE
        r := add_messages(s, p_messages, p_bodies, p_clips, p_revise, p_strict);
        a.refusal := r.refusal;
        a.detail := r.detail;
        IF a.refusal IS NULL AND NOT p_revise AND cardinality(r.fresh) < cardinality(r.seqs) THEN
            v_back := coming_back(s.id, s.head, v_last, p_messages, r.seqs);
            IF v_back IS NOT NULL AND s.version <> p_expected THEN
                a.refusal := 'version';
                a.detail := s.version;
            END IF;
        END IF;
    END IF;
    IF a.refusal IS NOT NULL THEN
        PERFORM let_go(s);
        RETURN a;
    END IF;
    v_fresh := cardinality(r.fresh);
    IF v_fresh > 0 THEN
        s := r.s;
        s.sealed := s.sealed OR p_sealed;
    END IF;
    IF v_back IS NOT NULL THEN
        s.head := head_with(s.head, array(
            SELECT n.seq FROM unnest(r.seqs) WITH ORDINALITY AS n (seq, place)
            WHERE n.seq > v_last OR n.seq = ANY (v_back) ORDER BY n.place
        ));
    ELSIF v_fresh > 0 THEN
        s.head := grown_head(s.head, v_last + 1, s.messages, r.olds, r.news);
    END IF;
    IF v_fresh > 0 OR v_back IS NOT NULL THEN
        s.version := s.version + 1;
        PERFORM save(s);
    END IF;
    RETURN ROW(NULL, NULL, r.seqs, v_fresh, s.tokens - v_before, record_send(s))::appended;
END $$;

-- The same for what is appended most: one message without calls, result or clip, by an author whom the session knows,
-- sealed as the session is, or not.
-- Two statements, as few as it can be: the first would not see a message of the same id that was appended while it
-- waited for the row, the second does. All other cases are those of append_messages. The first looks for the id by LIMIT,
-- since as NOT EXISTS it is a join, which takes longer to set up than to do.
CREATE FUNCTION append_message(
    p_tenant text, p_session_id text, p_namespace text, p_id bytea, p_id_hash integer, p_digest uuid, p_author text,
    p_time_s double precision, p_tokens integer, p_importance text, p_said boolean, p_body bytea, p_words bytea,
    p_revise boolean, p_sealed boolean
) RETURNS appended
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '30s' SET enable_seqscan = off AS $$
DECLARE
    a appended;
    v_session integer;
    v_seq integer;
BEGIN
    UPDATE sessions AS x SET
        version = x.version + 1, messages = x.messages + 1, head[cardinality(x.head)] = x.messages + 1,
        tokens = x.tokens + p_tokens, view_tokens = x.view_tokens + p_tokens,
        largest_tokens = greatest(x.largest_tokens, p_tokens), turns = x.turns + p_said::integer,
        active = CASE WHEN p_said THEN x.ready ELSE x.active END, touched = now(),
        first_time_s = coalesce(x.first_time_s, p_time_s), last_time_s = coalesce(p_time_s, x.last_time_s)
    WHERE x.tenant = p_tenant AND x.session_id = p_session_id AND x.namespace = p_namespace
      AND x.head[cardinality(x.head)] = x.messages AND x.sealed = p_sealed
      AND (NOT p_said OR p_author IN ('', '\') OR p_author = ANY (x.authors))
      AND (
          SELECT true FROM messages AS m
          WHERE m.session::oid = x.id::oid AND m.id_hash = p_id_hash AND m.id = p_id LIMIT 1
      ) IS NULL
    RETURNING x.id, x.messages, record_send(x) INTO v_session, v_seq, a.session;
    IF FOUND THEN
        INSERT INTO messages (
            session, time_s, id_hash, seq, tokens, digest, importance, tenant, id, author, body, clip, words
        )
        SELECT v_session, p_time_s, p_id_hash, v_seq, p_tokens, p_digest, p_importance, said_tenant(p_tenant), p_id,
               p_author, p_body, '', p_words
        WHERE NOT EXISTS (
            SELECT FROM messages AS m
            WHERE m.session::oid = v_session::oid AND m.id_hash = p_id_hash AND m.id = p_id
        );
        IF NOT FOUND THEN
            RAISE EXCEPTION 'another writer appended it too' USING ERRCODE = 'LS002';
        END IF;
        RETURN a;
    END IF;
    RETURN append_messages(
        p_tenant, p_session_id, p_namespace, json_build_array(json_build_object(
            'place', 1, 'id', p_id, 'id_hash', p_id_hash, 'digest', p_digest, 'author', p_author, 'time_s', p_time_s,
            'role', CASE WHEN p_said THEN 'u' END, 'tokens', p_tokens, 'view_tokens', p_tokens,
            'importance', p_importance, 'short', false, 'again', false, 'words', p_words
        )), ARRAY[p_body], ARRAY[''::bytea], NULL, p_revise, false, NULL, p_sealed
    );
END $$;

-- Writes digest p_number, over p_old where there is one: part by part, so that most stay on their pages.
CREATE FUNCTION write_digest(
    p_session integer, p_tenant text, p_old integer, p_number integer, p_covers integer[], p_pinned integer[],
    p_data bytea
) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    c_bytes CONSTANT integer := 1850;
    v_last integer := (octet_length(p_data) - 1) / c_bytes;
    v_there integer := 0;
BEGIN
    IF p_old IS NOT NULL THEN
        UPDATE digests AS d SET
            number = p_number, data = substr(p_data, d.part * c_bytes + 1, c_bytes),
            covers = CASE d.part WHEN 0 THEN p_covers ELSE '{}' END,
            pinned = CASE d.part WHEN 0 THEN p_pinned ELSE '{}' END
        WHERE d.session = p_session AND d.number = p_old AND d.part <= v_last;
        GET DIAGNOSTICS v_there = ROW_COUNT;
        DELETE FROM digests AS d WHERE d.session = p_session AND d.number = p_old AND d.part > v_last;
    END IF;
    INSERT INTO digests (session, number, part, tenant, covers, pinned, data)
    SELECT p_session, p_number, p.part, p_tenant, CASE p.part WHEN 0 THEN p_covers ELSE '{}' END,
           CASE p.part WHEN 0 THEN p_pinned ELSE '{}' END, substr(p_data, p.part * c_bytes + 1, c_bytes)
    FROM generate_series(v_there, v_last) AS p (part);
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
    v_old integer;
BEGIN
    SELECT * INTO s FROM sessions AS x
    WHERE x.tenant = p_tenant AND x.session_id = p_session_id AND x.namespace = p_namespace FOR NO KEY UPDATE;
    newest := s.ready[1];
    IF NOT FOUND OR s.born::text <> p_born THEN
        refusal := 'gone';
    ELSIF newest <> p_number - 1 THEN
        refusal := 'newer';
    ELSE
        -- One that rules.py calls outlived makes place for it: in its row, so that the table need not grow.
        SELECT min(d.number) INTO v_old FROM digests AS d
        WHERE d.session = s.id AND d.number < s.active[1] AND p_number - d.number >= 2 * (d.number & -d.number);
        PERFORM write_digest(s.id, p_tenant, v_old, p_number, p_covers, p_pinned, p_data);
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
    v_session integer;
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
