-- Every table but sessions is keyed by the session's number first, so that all of them can be hash partitioned.
-- Text is compared by its bytes, and holds no NUL: rows.py escapes what PostgreSQL cannot keep.

-- Half as many bytes as a bigint has stand in each row of a message and twice in its indexes. There are 4,294,967,296 of
-- them; who needs more sessions, ever, begins another schema.
CREATE SEQUENCE session_numbers AS integer MINVALUE -2147483648;

-- What an append gives back of a session is its row in binary: rows.py knows the columns by their places. Another one
-- comes behind the last.
CREATE TABLE sessions (
    version bigint NOT NULL DEFAULT 0,
    tokens bigint NOT NULL DEFAULT 0,
    view_tokens bigint NOT NULL DEFAULT 0,
    first_time_s double precision,
    last_time_s double precision,
    absent_s double precision NOT NULL DEFAULT 0,
    touched timestamptz NOT NULL DEFAULT now(),
    id integer NOT NULL DEFAULT nextval('session_numbers'),
    messages integer NOT NULL DEFAULT 0,
    turns integer NOT NULL DEFAULT 0,
    largest_tokens integer NOT NULL DEFAULT 0,
    tier integer NOT NULL DEFAULT 0,
    resumed_after_seq integer NOT NULL DEFAULT 0,
    values_kept integer NOT NULL DEFAULT 0,
    head integer[] NOT NULL DEFAULT '{}',
    tenant text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    born uuid NOT NULL DEFAULT gen_random_uuid(),
    active bigint[] NOT NULL DEFAULT '{0,0,0,0}',
    ready bigint[] NOT NULL DEFAULT '{0,0,0,0}',
    open_calls text[] NOT NULL DEFAULT '{}',
    authors text[] NOT NULL DEFAULT '{}',
    sealed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant, session_id, namespace)
) WITH (fillfactor = 90);

COMMENT ON COLUMN sessions.sealed IS 'whether an encrypting store wrote to it: who has no keys may add nothing';
COMMENT ON COLUMN sessions.head IS 'pairs of first and last sequence number, in the order of the conversation';

-- What a row of messages says of its tenant: nothing, until rows are guarded by tenant. In each row, it would take as
-- many bytes as the name has.
CREATE FUNCTION said_tenant(p_tenant text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT ''::text $$;

-- No column is NULL where a message has a time, so that rows need no map of NULLs: '' says "none" of author and clip.
CREATE TABLE messages (
    session integer NOT NULL,
    seq integer NOT NULL,
    time_s double precision,
    id_hash integer NOT NULL,
    tokens integer NOT NULL,
    digest uuid NOT NULL,
    body bytea NOT NULL,
    words bytea NOT NULL,
    clip bytea NOT NULL,
    id bytea NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    importance "char" NOT NULL,
    author text NOT NULL
) WITH (toast_tuple_target = 4080);

-- Bodies and clips come compressed. A tool result of some KB stays in its row: beside it, it would take as much again.
ALTER TABLE messages ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN clip SET STORAGE EXTERNAL;

-- For what is looked for by its id, the session is compared as an oid, which costs nothing: so only this index fits. Of a
-- session that the statistics do not know the planner expects one row, and would read all of it by the key at each append.
CREATE INDEX messages_by_id ON messages ((session::oid), id_hash) WITH (fillfactor = 100);
ALTER TABLE messages ADD PRIMARY KEY (session, seq) WITH (fillfactor = 100);

COMMENT ON COLUMN messages.words IS 'two bytes for each word a search goes by: a part of its hash';

-- A digest in parts, of which four fit on a page. One in a single row of half a page or more would leave a page behind
-- whenever another one is written over it: its new place is another page, and nobody looks at the old one before a
-- vacuum does. What it covers and has pinned stands with the first part.
CREATE TABLE digests (
    session integer NOT NULL,
    number integer NOT NULL,
    part integer NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    covers integer[] NOT NULL,
    pinned integer[] NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (session, number, part)
) WITH (fillfactor = 75);

ALTER TABLE digests ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE notices (
    session integer NOT NULL,
    number integer NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (session, number)
);

CREATE TABLE checkpoints (
    session integer NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    parent_id text COLLATE "C",
    run_id text COLLATE "C",
    type text NOT NULL,
    data bytea NOT NULL,
    numbers integer[] NOT NULL,
    PRIMARY KEY (session, id)
);

CREATE INDEX checkpoints_by_run ON checkpoints (tenant, run_id) WHERE run_id IS NOT NULL;

COMMENT ON COLUMN checkpoints.numbers IS 'the channel values of this checkpoint, by their number';

CREATE TABLE channel_values (
    session integer NOT NULL,
    number integer NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    version bytea NOT NULL,
    type text,
    data bytea,
    part integer[],
    PRIMARY KEY (session, number)
);

COMMENT ON COLUMN channel_values.part IS 'the part of the record that a list of messages is; without it and data the channel is empty';

-- What a task wrote in one go, at the positions from the first to the last; each position below 0 has a row of its own.
CREATE TABLE writes (
    session integer NOT NULL,
    position integer NOT NULL,
    last integer NOT NULL,
    since integer NOT NULL,
    draft integer NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    checkpoint bytea NOT NULL,
    task_id bytea NOT NULL,
    data bytea NOT NULL,
    id_hashes integer[] NOT NULL,
    digests uuid[] NOT NULL,
    PRIMARY KEY (session, checkpoint, task_id, position)
);

ALTER TABLE writes ALTER COLUMN data SET STORAGE EXTERNAL;

COMMENT ON COLUMN writes.since IS 'how many messages the record had then: it is looked through around there';
COMMENT ON COLUMN writes.draft IS 'where the messages of the digests are while the record lacks one of them';

-- Messages in writes that the record does not have yet: the row of a draft without data is free, and written over by the
-- next one. A new row for each would leave a dead one in each turn.
CREATE TABLE drafts (
    session integer NOT NULL,
    number integer NOT NULL,
    position integer NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    checkpoint bytea NOT NULL,
    task_id bytea NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (session, number)
) WITH (fillfactor = 50, toast_tuple_target = 8160);

ALTER TABLE drafts ALTER COLUMN data SET STORAGE EXTERNAL;

-- The tables that hold rows of tenants, and the partitions of each: those can be asked by names of their own.
CREATE FUNCTION tables_of_tenants() RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    WITH whole AS (
        SELECT to_regclass(n.name) AS id FROM unnest(ARRAY[
            'sessions', 'messages', 'digests', 'notices', 'checkpoints', 'channel_values', 'writes', 'drafts', 'leases'
        ]) AS n (name)
    )
    SELECT w.id FROM whole AS w UNION SELECT p.relid FROM whole AS w, pg_partition_tree(w.id) AS p
$$;

-- Whether all of them are guarded. A table that was made anew, to part it say, is not.
CREATE FUNCTION tenants_guarded() RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT bool_and(c.relrowsecurity AND c.relforcerowsecurity)
    FROM tables_of_tenants() AS t (id) JOIN pg_class AS c ON c.oid = t.id
$$;

-- From here on a row is seen and written only by a transaction that names its tenant.
CREATE FUNCTION guard_tenants() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_table regclass;
BEGIN
    -- Who writes locks them in this order too; who waits plans anew behind it, with what said_tenant then is.
    LOCK TABLE sessions, messages IN ACCESS EXCLUSIVE MODE;
    CREATE OR REPLACE FUNCTION said_tenant(p_tenant text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT p_tenant';
    UPDATE messages AS m SET tenant = s.tenant FROM sessions AS s WHERE m.session = s.id AND m.tenant <> s.tenant;
    FOR v_table IN SELECT tables_of_tenants() LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('DROP POLICY IF EXISTS own_tenant ON %s', v_table);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %s USING (tenant = current_setting(''llm_sessions.tenant'', true)) '
            'WITH CHECK (tenant = current_setting(''llm_sessions.tenant'', true))', v_table);
    END LOOP;
END $$;
