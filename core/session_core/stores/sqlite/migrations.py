"""The SQLite schema as an ordered list of migrations; a database's version is how many it has seen."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        session_id TEXT NOT NULL,
        namespace TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 0,
        next_seq INTEGER NOT NULL DEFAULT 1,
        state BLOB NOT NULL,
        updated_s REAL NOT NULL DEFAULT 0,
        touched_s REAL NOT NULL DEFAULT 0,
        UNIQUE (tenant, session_id, namespace)
    );
    CREATE TABLE bodies (
        id INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        digest BLOB NOT NULL,
        data BLOB NOT NULL,
        clip TEXT,
        clip_tokens INTEGER NOT NULL DEFAULT 0,
        indexed INTEGER NOT NULL DEFAULT 0,
        UNIQUE (session, digest)
    );
    CREATE TABLE messages (
        session INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        id TEXT NOT NULL,
        body INTEGER NOT NULL,
        author TEXT,
        time_s REAL,
        tokens INTEGER NOT NULL,
        importance TEXT NOT NULL,
        PRIMARY KEY (session, seq)
    ) WITHOUT ROWID;
    CREATE INDEX messages_by_id ON messages (session, id);
    CREATE INDEX messages_by_body ON messages (body);
    CREATE VIRTUAL TABLE words USING fts5 (marks, content = '', detail = 'none', columnsize = 0, tokenize = 'ascii');
    CREATE TABLE digests (
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (session, number)
    ) WITHOUT ROWID;
    CREATE TABLE notices (
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (session, number)
    ) WITHOUT ROWID;
    CREATE TABLE leases (
        token INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL,
        session_id TEXT NOT NULL,
        namespace TEXT NOT NULL,
        holder TEXT NOT NULL,
        taken_s REAL NOT NULL,
        ttl_s REAL NOT NULL,
        UNIQUE (tenant, session_id, namespace)
    );
    CREATE TABLE checkpoints (
        session INTEGER NOT NULL,
        id TEXT NOT NULL,
        parent_id TEXT,
        run_id TEXT,
        body_type TEXT NOT NULL,
        body BLOB NOT NULL,
        versions BLOB NOT NULL,
        PRIMARY KEY (session, id)
    ) WITHOUT ROWID;
    CREATE INDEX checkpoints_by_run ON checkpoints (run_id) WHERE run_id IS NOT NULL;
    CREATE TABLE channel_values (
        session INTEGER NOT NULL,
        channel TEXT NOT NULL,
        version TEXT NOT NULL,
        type TEXT NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (session, channel, version)
    ) WITHOUT ROWID;
    CREATE TABLE writes (
        session INTEGER NOT NULL,
        checkpoint TEXT NOT NULL,
        task_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        channel TEXT NOT NULL,
        task_path TEXT NOT NULL,
        type TEXT NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (session, checkpoint, task_id, position)
    ) WITHOUT ROWID;
    """,
)
"""Never edit a released one; append the next at the end."""
