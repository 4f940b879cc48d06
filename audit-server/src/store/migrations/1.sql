-- The tables of one server. Times are whole milliseconds since 1970. JSON is kept as the text that was sent.

CREATE TABLE organizations (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT,
    created_at INTEGER NOT NULL
) STRICT;

-- AUTOINCREMENT, since ids are page cursors and must never be reused.
CREATE TABLE actions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Immutable: a change is a new row with the next version.
CREATE TABLE schemas (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    action_id  INTEGER NOT NULL REFERENCES actions (id),
    version    INTEGER NOT NULL,
    definition TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (action_id, version)
) STRICT;

-- Accepted events, and the last thousand rejected ones.
CREATE TABLE events (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at     INTEGER NOT NULL,
    idempotency_key TEXT,
    organization_id TEXT,
    action          TEXT,
    status          TEXT NOT NULL CHECK (status IN ('accepted', 'rejected')),
    http_status     INTEGER NOT NULL,
    response        TEXT NOT NULL,
    reasons         TEXT NOT NULL,
    event           TEXT,
    event_bytes     INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_organization ON events (organization_id, seq);
CREATE INDEX events_rejected ON events (seq) WHERE status = 'rejected';

-- Responses saved for 24 hours. `scope` is the SHA-256 of the API key: the key itself is never
-- written to disk.
CREATE TABLE idempotency (
    scope       BLOB NOT NULL,
    key         TEXT NOT NULL,
    http_status INTEGER NOT NULL,
    response    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- Counters over the whole life of the data; rejected rows are trimmed, so they cannot be counted
-- later.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, value) VALUES ('accepted', 0), ('rejected', 0), ('duplicates', 0);
