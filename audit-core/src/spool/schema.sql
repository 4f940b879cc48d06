-- Events that are not delivered yet. A row id is never reused, since an acknowledgement may arrive late.
CREATE TABLE pending (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    durable INTEGER NOT NULL,
    -- The time of the first attempt with an ambiguous result, in milliseconds since 1970.
    first_attempt INTEGER,
    event BLOB NOT NULL
);

-- Rejected events.
CREATE TABLE dead_letters (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    first_attempt INTEGER,
    rejected_at INTEGER NOT NULL,
    fault TEXT NOT NULL,
    event BLOB NOT NULL
);

-- The bytes of rows that can no longer be read as events.
CREATE TABLE corrupt_rows (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    found_at INTEGER NOT NULL,
    bytes BLOB NOT NULL
);

-- One row, updated in the transaction that changes what it counts, so that opening counts no rows.
CREATE TABLE totals (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    pending INTEGER NOT NULL,
    pending_bytes INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    dead_bytes INTEGER NOT NULL,
    dead_dropped INTEGER NOT NULL,
    corrupt_rows INTEGER NOT NULL
);
INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0, 0);
