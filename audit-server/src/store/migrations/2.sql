-- Exports, retention, and the indexes that lists of a million events need.

-- The `occurred_at` of an accepted event; null for a rejected one. A time that SQLite cannot parse (a
-- leap second) is replaced by the time of receipt.
ALTER TABLE events ADD COLUMN occurred_at INTEGER;
UPDATE events
SET occurred_at = coalesce(CAST(round(unixepoch(json_extract(event, '$.occurred_at'), 'subsec') * 1000) AS INTEGER), received_at)
WHERE status = 'accepted' AND json_valid(event);
UPDATE events SET occurred_at = received_at WHERE status = 'accepted' AND occurred_at IS NULL;

-- The audit log of one organization by time, for exports and retention.
CREATE INDEX events_by_time ON events (organization_id, occurred_at, seq) WHERE status = 'accepted';
CREATE INDEX events_by_action ON events (action, seq);
CREATE INDEX events_by_organization_and_action ON events (organization_id, action, seq);

-- Null until it is set.
ALTER TABLE organizations ADD COLUMN retention_days INTEGER;

-- The selection of an export, which is read when it is downloaded: no file is kept. `last_seq` is the
-- newest event at its creation.
CREATE TABLE exports (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    range_start     INTEGER NOT NULL,
    range_end       INTEGER NOT NULL,
    filters         TEXT NOT NULL,
    last_seq        INTEGER NOT NULL,
    fails           INTEGER NOT NULL CHECK (fails IN (0, 1)),
    created_at      INTEGER NOT NULL
) STRICT;
