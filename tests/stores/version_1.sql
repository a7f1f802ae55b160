-- An SQLite store as the release with schema version 1 left it: the tables, and three jobs.
CREATE TABLE job (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    key TEXT,
    open INTEGER NOT NULL CHECK (open IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('submitting', 'uncertain', 'rejected', 'pending', 'running', 'stopping', 'finished', 'failed', 'stopped')),
    remote_id TEXT,
    lane TEXT,
    created_at INTEGER NOT NULL,
    next_poll INTEGER,
    leased_until INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL,
    document BLOB NOT NULL,
    due_at INTEGER GENERATED ALWAYS AS (CASE WHEN open THEN max(next_poll, leased_until) END) VIRTUAL
) STRICT;
CREATE INDEX job_key ON job (account, key) WHERE key IS NOT NULL;
CREATE INDEX job_remote_id ON job (account, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX job_open ON job (created_at, id) WHERE open = 1;
CREATE INDEX job_lane ON job (lane, created_at, id) WHERE open = 1 AND lane IS NOT NULL;
CREATE INDEX job_due ON job (account, due_at) WHERE due_at IS NOT NULL;
CREATE TRIGGER job_end_is_final BEFORE UPDATE OF status ON job
WHEN OLD.status IN ('rejected', 'finished', 'failed', 'stopped') AND NEW.status <> OLD.status
BEGIN SELECT RAISE(ABORT, 'the status of an ended job never changes'); END;
CREATE TABLE timeline (
    job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (job_id, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE parked (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    remote_id TEXT,
    at INTEGER NOT NULL,
    identity BLOB NOT NULL,
    document BLOB NOT NULL,
    UNIQUE (account, identity)
) STRICT;
CREATE INDEX parked_remote_id ON parked (account, remote_id);
CREATE TABLE aside (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    document BLOB NOT NULL
) STRICT;
CREATE TABLE kept (name TEXT PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT INTO kept VALUES ('parked', 0, 0), ('aside', 0, 0);
CREATE TRIGGER parked_insert AFTER INSERT ON parked BEGIN
    UPDATE kept SET count = count + 1, bytes = bytes + length(NEW.document) WHERE name = 'parked';
END;
CREATE TRIGGER parked_delete AFTER DELETE ON parked BEGIN
    UPDATE kept SET count = count - 1, bytes = bytes - length(OLD.document) WHERE name = 'parked';
END;
CREATE TRIGGER aside_insert AFTER INSERT ON aside BEGIN
    UPDATE kept SET count = count + 1, bytes = bytes + length(NEW.document) WHERE name = 'aside';
END;
CREATE TRIGGER aside_delete AFTER DELETE ON aside BEGIN
    UPDATE kept SET count = count - 1, bytes = bytes - length(OLD.document) WHERE name = 'aside';
END;
CREATE TABLE reservation (number INTEGER PRIMARY KEY, budget TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX reservation_at ON reservation (budget, at);
CREATE TABLE lease (
    token INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;
INSERT INTO job (id, account, key, open, status, remote_id, lane, created_at, next_poll, leased_until, version, document) VALUES (
    'job-9000',
    'https://sandbox.example#1',
    'job-9000',
    1,
    'pending',
    'remote-job-9000',
    NULL,
    1780315200000000,
    1780315200000000,
    0,
    2,
    CAST('{"job":{"id":"job-9000","vendor":"proof","account":"https://sandbox.example#1","task":{"kind":"Task"},"created_at":"2026-06-01T12:00:00Z","key":"job-9000","lane":null,"status":"pending","vendor_status":null,"remote_id":"remote-job-9000","failure":null,"partial":false,"retry_at":null,"settled_by":null,"settled_at":null,"created_count":null,"updated_count":null,"deadline":null,"attempted_at":"2026-06-01T12:00:00Z","attempts":1,"doubt":null,"absent_since":null,"abandoned":false,"superseded_by":null,"look":null,"gone_count":0,"gone_since":null,"conflicts":0,"polls":0,"next_poll":"2026-06-01T12:00:00Z","version":2},"task":{"kind":"proof.Probe","link":"job-9000"}}' AS BLOB)
);
INSERT INTO timeline VALUES ('job-9000', 1, CAST('{"way":"poll","at":"2026-06-01T12:00:02Z","status":null,"vendor_status":null,"job_id":null,"remote_id":null,"delivery_id":"job-9000","subject":null,"resource":null,"failure":null,"partial":false,"retry_at":null,"created_count":null,"updated_count":null,"doubt":null,"look":null,"nudge":false,"adoptable":false,"gone":false,"absent":false,"abandon":false}' AS BLOB));
INSERT INTO job (id, account, key, open, status, remote_id, lane, created_at, next_poll, leased_until, version, document) VALUES (
    'job-9001',
    'https://sandbox.example#1',
    NULL,
    0,
    'finished',
    'remote-job-9001',
    NULL,
    1780315200000000,
    NULL,
    0,
    4,
    CAST('{"job":{"id":"job-9001","vendor":"proof","account":"https://sandbox.example#1","task":{"kind":"Task"},"created_at":"2026-06-01T12:00:00Z","key":"job-9001","lane":null,"status":"finished","vendor_status":null,"remote_id":"remote-job-9001","failure":null,"partial":false,"retry_at":null,"settled_by":null,"settled_at":null,"created_count":null,"updated_count":null,"deadline":null,"attempted_at":"2026-06-01T12:00:00Z","attempts":1,"doubt":null,"absent_since":null,"abandoned":false,"superseded_by":null,"look":null,"gone_count":0,"gone_since":null,"conflicts":0,"polls":1,"next_poll":null,"version":4},"task":{"kind":"proof.Probe","link":"job-9001"}}' AS BLOB)
);
INSERT INTO timeline VALUES ('job-9001', 1, CAST('{"way":"poll","at":"2026-06-01T12:00:02Z","status":null,"vendor_status":null,"job_id":null,"remote_id":null,"delivery_id":"job-9001","subject":null,"resource":null,"failure":null,"partial":false,"retry_at":null,"created_count":null,"updated_count":null,"doubt":null,"look":null,"nudge":false,"adoptable":false,"gone":false,"absent":false,"abandon":false}' AS BLOB));
INSERT INTO timeline VALUES ('job-9001', 2, CAST('{"way":"poll","at":"2026-06-01T12:00:03Z","status":null,"vendor_status":null,"job_id":null,"remote_id":null,"delivery_id":"job-9001","subject":null,"resource":null,"failure":null,"partial":false,"retry_at":null,"created_count":null,"updated_count":null,"doubt":null,"look":null,"nudge":false,"adoptable":false,"gone":false,"absent":false,"abandon":false}' AS BLOB));
INSERT INTO timeline VALUES ('job-9001', 3, CAST('{"way":"poll","at":"2026-06-01T12:00:04Z","status":null,"vendor_status":null,"job_id":null,"remote_id":null,"delivery_id":"job-9001","subject":null,"resource":null,"failure":null,"partial":false,"retry_at":null,"created_count":null,"updated_count":null,"doubt":null,"look":null,"nudge":false,"adoptable":false,"gone":false,"absent":false,"abandon":false}' AS BLOB));
INSERT INTO job (id, account, key, open, status, remote_id, lane, created_at, next_poll, leased_until, version, document) VALUES (
    'job-9003',
    'https://sandbox.example#1',
    NULL,
    0,
    'failed',
    'remote-job-9003',
    NULL,
    1780315200000000,
    NULL,
    0,
    4,
    CAST('{"job":{"id":"job-9003","vendor":"proof","account":"https://sandbox.example#1","task":{"kind":"Task"},"created_at":"2026-06-01T12:00:00Z","key":"job-9003","lane":null,"status":"failed","vendor_status":null,"remote_id":"remote-job-9003","failure":{"code":"broken","message":"","retryable":false},"partial":false,"retry_at":null,"settled_by":null,"settled_at":null,"created_count":null,"updated_count":null,"deadline":null,"attempted_at":"2026-06-01T12:00:00Z","attempts":1,"doubt":null,"absent_since":null,"abandoned":false,"superseded_by":null,"look":null,"gone_count":0,"gone_since":null,"conflicts":0,"polls":1,"next_poll":null,"version":4},"task":{"kind":"proof.Probe","link":"job-9003"}}' AS BLOB)
);
INSERT INTO timeline VALUES ('job-9003', 1, CAST('{"way":"poll","at":"2026-06-01T12:00:02Z","status":null,"vendor_status":null,"job_id":null,"remote_id":null,"delivery_id":"job-9003","subject":null,"resource":null,"failure":null,"partial":false,"retry_at":null,"created_count":null,"updated_count":null,"doubt":null,"look":null,"nudge":false,"adoptable":false,"gone":false,"absent":false,"abandon":false}' AS BLOB));
INSERT INTO timeline VALUES ('job-9003', 2, CAST('{"way":"poll","at":"2026-06-01T12:00:03Z","status":null,"vendor_status":null,"job_id":null,"remote_id":null,"delivery_id":"job-9003","subject":null,"resource":null,"failure":null,"partial":false,"retry_at":null,"created_count":null,"updated_count":null,"doubt":null,"look":null,"nudge":false,"adoptable":false,"gone":false,"absent":false,"abandon":false}' AS BLOB));
INSERT INTO timeline VALUES ('job-9003', 3, CAST('{"way":"poll","at":"2026-06-01T12:00:04Z","status":null,"vendor_status":null,"job_id":null,"remote_id":null,"delivery_id":"job-9003","subject":null,"resource":null,"failure":null,"partial":false,"retry_at":null,"created_count":null,"updated_count":null,"doubt":null,"look":null,"nudge":false,"adoptable":false,"gone":false,"absent":false,"abandon":false}' AS BLOB));
PRAGMA application_id=1651275361;
PRAGMA user_version=1;
