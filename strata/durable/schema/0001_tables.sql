-- Tables of the journal. Migrations only add: an older worker must go on beside a newer one (see schema.py).

CREATE SEQUENCE durable.item_id;  -- runs and inbox events share it, so an item id names exactly one of them

-- The journal's clock: real time unless somebody simulates. Heartbeats never use it (a worker dies in real time).
CREATE TABLE durable.clock (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  real_at timestamptz NOT NULL, clock_at timestamptz NOT NULL, speed float8 NOT NULL
);
INSERT INTO durable.clock VALUES (true, '2000-01-01Z', '2000-01-01Z', 1);

CREATE TABLE durable.run (
  id bigint PRIMARY KEY DEFAULT nextval('durable.item_id'),
  process text NOT NULL, version int NOT NULL, key text NOT NULL, order_key text NOT NULL,
  -- queued: behind another run of its order key. Heads: ready, running, sleeping (next_at), waiting (signal or
  -- dependency), parked (backend), dead. Ended: done, discarded.
  status text NOT NULL,
  failure_class text NOT NULL DEFAULT '', priority smallint NOT NULL, label text NOT NULL,
  fence int NOT NULL DEFAULT 0, owner bigint, begun boolean NOT NULL DEFAULT false,
  attempt int NOT NULL DEFAULT 0, first_failed_at timestamptz, next_at timestamptz,
  step text, reason text, problem bytea, backend text,
  wait_signal text, wait_pos int, wait_until timestamptz,
  correlation_id text NOT NULL, traceparent text, inbox_id bigint, facts jsonb NOT NULL DEFAULT '{}',
  input bytea NOT NULL, result bytea,
  created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, finished_at timestamptz,
  UNIQUE (process, key)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
        autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- Exactly one head per busy order key: the database itself refuses a second.
CREATE UNIQUE INDEX run_head ON durable.run (order_key)
  WHERE status IN ('ready', 'running', 'sleeping', 'waiting', 'parked', 'dead');
CREATE INDEX run_behind ON durable.run (order_key, id) WHERE status = 'queued';
CREATE INDEX run_ready ON durable.run (process, version, priority, id) WHERE status = 'ready';
CREATE INDEX run_timer ON durable.run (next_at) WHERE status IN ('sleeping', 'waiting');
CREATE INDEX run_running ON durable.run (owner) WHERE status = 'running';
CREATE INDEX run_backend ON durable.run (backend, status, id) WHERE backend IS NOT NULL;
CREATE INDEX run_list ON durable.run (process, status, failure_class, id);
CREATE INDEX run_finished ON durable.run (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE durable.step (
  run_id bigint NOT NULL REFERENCES durable.run ON DELETE CASCADE, pos int NOT NULL,
  name text NOT NULL, kind text NOT NULL,  -- step, wait, skip, now, failed (raised, and the process went on)
  result bytea NOT NULL, fence int NOT NULL, attempt int NOT NULL, took_ms int NOT NULL, recorded_at timestamptz NOT NULL,
  PRIMARY KEY (run_id, pos)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE durable.signal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id bigint NOT NULL REFERENCES durable.run ON DELETE CASCADE, name text NOT NULL, dedupe text NOT NULL,
  payload bytea NOT NULL, received_at timestamptz NOT NULL, consumed_pos int,
  UNIQUE (run_id, name, dedupe)
);
CREATE TABLE durable.override (  -- the result a person set for a step: skip_step
  run_id bigint NOT NULL REFERENCES durable.run ON DELETE CASCADE, step text NOT NULL, result bytea NOT NULL,
  PRIMARY KEY (run_id, step)
);
CREATE TABLE durable.history (  -- every failure of a run, kept although later attempts succeed
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id bigint NOT NULL REFERENCES durable.run ON DELETE CASCADE, at timestamptz NOT NULL, fence int NOT NULL,
  attempt int NOT NULL, status text NOT NULL, failure_class text NOT NULL, step text, reason text
);
CREATE INDEX history_run ON durable.history (run_id, id);

CREATE TABLE durable.audit (  -- what people did
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, operation uuid NOT NULL UNIQUE,
  at timestamptz NOT NULL, actor text NOT NULL, action text NOT NULL, why text NOT NULL,
  item_id bigint, backend text, before bytea
);
CREATE INDEX audit_item ON durable.audit (item_id) WHERE item_id IS NOT NULL;

CREATE TABLE durable.inbox (
  id bigint PRIMARY KEY DEFAULT nextval('durable.item_id'),
  source text NOT NULL, delivery_id text NOT NULL, type text NOT NULL, subject text NOT NULL, version text NOT NULL,
  status text NOT NULL,  -- routed, unrouted (nobody subscribed yet), quarantined, discarded
  reason text NOT NULL DEFAULT '', body bytea NOT NULL, headers bytea NOT NULL, data bytea NOT NULL,
  correlation_id text NOT NULL, traceparent text, runs bigint[] NOT NULL DEFAULT '{}', received_at timestamptz NOT NULL,
  UNIQUE (source, delivery_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX inbox_open ON durable.inbox (status, id) WHERE status IN ('unrouted', 'quarantined');
CREATE INDEX inbox_received ON durable.inbox (received_at);

CREATE TABLE durable.subscription (
  event text NOT NULL, process text NOT NULL, key text NOT NULL, order_key text NOT NULL, on_existing text,
  version int, priority smallint NOT NULL, label text NOT NULL,
  PRIMARY KEY (event, process)
);
CREATE TABLE durable.definition (process text NOT NULL, version int NOT NULL, PRIMARY KEY (process, version));

CREATE TABLE durable.worker (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, dead_after_s float8 NOT NULL,
  beat_at timestamptz NOT NULL, processes text[] NOT NULL, versions int[] NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

CREATE TABLE durable.backend (
  name text PRIMARY KEY, failures int NOT NULL DEFAULT 0,
  paused text,  -- operator, auth, circuit
  paused_by text NOT NULL DEFAULT '', why text NOT NULL DEFAULT '', since timestamptz,
  until timestamptz, cooldown_s float8 NOT NULL DEFAULT 0, probe_run bigint
);
CREATE TABLE durable.schedule (
  name text PRIMARY KEY, process text NOT NULL, every_s float8 NOT NULL, input bytea NOT NULL,
  next_at timestamptz NOT NULL, run_id bigint
);
CREATE TABLE durable.watermark (name text PRIMARY KEY, value text NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE durable.alert (
  kind text NOT NULL, subject text NOT NULL, message text NOT NULL, since timestamptz NOT NULL, PRIMARY KEY (kind, subject)
);

-- How many runs stand where: rows that only add up, folded by housekeeping, so that no counter is a lock everybody wants.
CREATE TABLE durable.tally (
  process text NOT NULL, version int NOT NULL, status text NOT NULL, failure_class text NOT NULL, n bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
