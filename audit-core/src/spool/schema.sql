-- Events that are not delivered yet. A row's number is never used again, since an acknowledgement may come late.
CREATE TABLE pending (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    durable INTEGER NOT NULL,
    -- When an attempt first left open whether the event was taken, in milliseconds since 1970.
    first_attempt INTEGER,
    event BLOB NOT NULL
);

-- Events that were refused for good.
CREATE TABLE dead (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    first_attempt INTEGER,
    buried_at INTEGER NOT NULL,
    fault TEXT NOT NULL,
    event BLOB NOT NULL
);

-- What stood in a row that could not be read as an event any more.
CREATE TABLE damaged (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    found_at INTEGER NOT NULL,
    bytes BLOB NOT NULL
);

-- One row, changed in the transaction that changes what it counts, so that nothing is counted at the start.
CREATE TABLE totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    pending INTEGER NOT NULL,
    pending_bytes INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    dead_bytes INTEGER NOT NULL,
    dead_dropped INTEGER NOT NULL,
    damaged INTEGER NOT NULL
);
INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0, 0);
