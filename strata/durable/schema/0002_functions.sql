-- What must happen in one transaction, as one statement for the caller: each function may be repeated after a lost reply.
-- A function whose meaning changes gets a new name; a compatible change replaces it in a later migration.

CREATE FUNCTION durable.now() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT clock_at + (statement_timestamp() - real_at) * speed FROM durable.clock $$;

CREATE FUNCTION durable.count_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO durable.tally VALUES (OLD.process, OLD.version, OLD.status, OLD.failure_class, -1);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO durable.tally VALUES (NEW.process, NEW.version, NEW.status, NEW.failure_class, 1);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER count_run AFTER INSERT OR DELETE ON durable.run FOR EACH ROW EXECUTE FUNCTION durable.count_run();
CREATE TRIGGER recount_run AFTER UPDATE ON durable.run FOR EACH ROW
  WHEN (OLD.status <> NEW.status OR OLD.failure_class <> NEW.failure_class) EXECUTE FUNCTION durable.count_run();

CREATE FUNCTION durable.fold() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM durable.tally) > 1000 AND pg_try_advisory_xact_lock(hashtextextended('durable.fold', 1)) THEN
    WITH gone AS (DELETE FROM durable.tally RETURNING process, version, status, failure_class, n)
    INSERT INTO durable.tally SELECT process, version, status, failure_class, sum(n) FROM gone
      GROUP BY process, version, status, failure_class HAVING sum(n) <> 0;
  END IF;
END $$;

CREATE FUNCTION durable.lock_key(p_order_key text) RETURNS void LANGUAGE sql AS
$$ SELECT pg_advisory_xact_lock(hashtextextended(p_order_key, 0)) $$;

CREATE FUNCTION durable.start(
  p_process text, p_version int, p_key text, p_order_key text, p_priority int, p_label text, p_correlation_id text,
  p_traceparent text, p_not_before timestamptz, p_input bytea, p_inbox_id bigint, p_default_version int,
  OUT run_id bigint, OUT created boolean
) LANGUAGE plpgsql AS $$
DECLARE t timestamptz := durable.now(); first text;
BEGIN
  SELECT id INTO run_id FROM durable.run WHERE process = p_process AND key = p_key;
  created := false;
  IF run_id IS NOT NULL THEN RETURN; END IF;
  PERFORM durable.lock_key(p_order_key);
  IF EXISTS (SELECT FROM durable.run WHERE order_key = p_order_key
             AND status IN ('ready', 'running', 'sleeping', 'waiting', 'parked', 'dead')) THEN first := 'queued';
  ELSIF p_not_before > t THEN first := 'sleeping';
  ELSE first := 'ready';
  END IF;
  INSERT INTO durable.run (process, version, key, order_key, status, priority, label, next_at, correlation_id,
                           traceparent, inbox_id, input, created_at, updated_at)
  VALUES (p_process, coalesce(p_version,  -- the newest that a worker runs now, that one ran, that the caller knows
            (SELECT max(d.v) FROM durable.worker w, unnest(w.processes, w.versions) d(p, v) WHERE d.p = p_process),
            (SELECT max(version) FROM durable.definition WHERE process = p_process), p_default_version, 1),
          p_key, p_order_key, first, p_priority, p_label, p_not_before, p_correlation_id, p_traceparent, p_inbox_id,
          p_input, t, t)
  ON CONFLICT (process, key) DO NOTHING RETURNING id INTO run_id;
  IF run_id IS NULL THEN
    SELECT id INTO run_id FROM durable.run WHERE process = p_process AND key = p_key;
  ELSE
    created := true;
    IF first = 'ready' THEN PERFORM pg_notify('durable', 'run'); END IF;
  END IF;
END $$;

CREATE FUNCTION durable.send(p_run bigint, p_name text, p_dedupe text, p_payload bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM durable.run WHERE id = p_run FOR UPDATE;
  INSERT INTO durable.signal (run_id, name, dedupe, payload, received_at)
    VALUES (p_run, p_name, p_dedupe, p_payload, durable.now()) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  -- a run that waits for a dependency has no signal name: whatever comes may be what it waited for
  UPDATE durable.run SET status = 'ready', next_at = NULL, updated_at = durable.now()
    WHERE id = p_run AND status = 'waiting' AND coalesce(wait_signal, p_name) = p_name;
  IF FOUND THEN PERFORM pg_notify('durable', 'run'); END IF;
  RETURN true;
END $$;

CREATE FUNCTION durable.route(p_inbox bigint) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE e durable.inbox; s record; started record; found bigint[] := '{}';
BEGIN
  SELECT * INTO e FROM durable.inbox WHERE id = p_inbox FOR UPDATE;
  FOR s IN
    SELECT sub.process, sub.version, sub.priority, sub.on_existing, filled.key, filled.order_key, filled.label
    FROM durable.subscription sub CROSS JOIN LATERAL (
      SELECT max(v) FILTER (WHERE n = 1) AS key, max(v) FILTER (WHERE n = 2) AS order_key, max(v) FILTER (WHERE n = 3) AS label
      FROM (SELECT n, replace(replace(replace(replace(replace(template, '{subject}', e.subject), '{version}', e.version),
              '{delivery_id}', e.delivery_id), '{type}', e.type), '{source}', e.source) AS v
            FROM unnest(ARRAY[sub.key, sub.order_key, sub.label]) WITH ORDINALITY AS templates(template, n)) AS texts
    ) filled
    WHERE sub.event = e.type OR (right(sub.event, 1) = '*' AND starts_with(e.type, left(sub.event, -1)))
    ORDER BY filled.order_key, sub.process
  LOOP
    SELECT * INTO started FROM durable.start(s.process, s.version, s.key, s.order_key, s.priority, s.label,
      e.correlation_id, e.traceparent, NULL, e.data, e.id, NULL);
    IF NOT started.created AND s.on_existing IS NOT NULL THEN
      PERFORM durable.send(started.run_id, s.on_existing, coalesce(nullif(e.version, ''), e.delivery_id), e.data);
    END IF;
    found := found || started.run_id;
  END LOOP;
  UPDATE durable.inbox SET runs = found, reason = '', status = CASE WHEN found = '{}' THEN 'unrouted' ELSE 'routed' END
    WHERE id = p_inbox;
  RETURN found;
END $$;

CREATE FUNCTION durable.receive(
  p_source text, p_delivery_id text, p_type text, p_subject text, p_version text, p_body bytea, p_headers bytea,
  p_data bytea, p_correlation_id text, p_traceparent text, p_quarantine text,
  OUT inbox_id bigint, OUT duplicate boolean, OUT runs bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('durable.subscription', 1));
  INSERT INTO durable.inbox (source, delivery_id, type, subject, version, status, reason, body, headers, data,
                             correlation_id, traceparent, received_at)
  VALUES (p_source, p_delivery_id, p_type, p_subject, p_version, CASE WHEN p_quarantine IS NULL THEN 'unrouted' ELSE 'quarantined' END,
          coalesce(p_quarantine, ''), p_body, p_headers, p_data, p_correlation_id, p_traceparent, durable.now())
  ON CONFLICT (source, delivery_id) DO NOTHING RETURNING id INTO inbox_id;
  duplicate := inbox_id IS NULL;
  IF duplicate THEN
    SELECT i.id, i.runs INTO inbox_id, runs FROM durable.inbox i WHERE source = p_source AND delivery_id = p_delivery_id;
  ELSIF p_quarantine IS NULL THEN runs := durable.route(inbox_id);
  END IF;
  runs := coalesce(runs, '{}');
END $$;

CREATE FUNCTION durable.subscribe(
  p_event text, p_process text, p_key text, p_order_key text, p_on_existing text, p_version int, p_priority int, p_label text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('durable.subscription', 1));  -- waits for events being received
  INSERT INTO durable.subscription VALUES (p_event, p_process, p_key, p_order_key, p_on_existing, p_version, p_priority, p_label)
  ON CONFLICT (event, process) DO UPDATE SET key = excluded.key, order_key = excluded.order_key, label = excluded.label,
    on_existing = excluded.on_existing, version = excluded.version, priority = excluded.priority;
END $$;

CREATE FUNCTION durable.route_waiting(p_after bigint, p_limit int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE e record; last bigint;
BEGIN
  FOR e IN SELECT id FROM durable.inbox i WHERE status = 'unrouted' AND id > p_after AND EXISTS (
      SELECT FROM durable.subscription sub WHERE sub.event = i.type
        OR (right(sub.event, 1) = '*' AND starts_with(i.type, left(sub.event, -1)))) ORDER BY id LIMIT p_limit FOR UPDATE LOOP
    PERFORM durable.route(e.id);
    last := e.id;
  END LOOP;
  RETURN last;
END $$;

CREATE FUNCTION durable.backend_ok(p_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE durable.backend SET failures = 0, cooldown_s = 0, probe_run = NULL, since = NULL, until = NULL, paused = NULL
    WHERE name = p_name AND paused IS DISTINCT FROM 'operator' AND (failures > 0 OR paused IS NOT NULL);
  IF FOUND THEN
    DELETE FROM durable.alert WHERE kind = 'backend' AND subject = p_name;
    PERFORM pg_notify('durable', 'backend');
  END IF;
END $$;

CREATE FUNCTION durable.backend_failed(
  p_name text, p_run bigint, p_class text, p_reason text, p_threshold int, p_cooldown_s float8, p_cap_s float8
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t timestamptz := durable.now(); b durable.backend;
BEGIN
  INSERT INTO durable.backend (name, failures) VALUES (p_name, 1)
    ON CONFLICT (name) DO UPDATE SET failures = durable.backend.failures + 1 RETURNING * INTO b;
  IF b.failures = 1 THEN PERFORM pg_notify('durable', 'backend'); END IF;  -- so that a success anywhere resets it
  IF b.paused = 'operator' OR (b.paused IS NOT NULL AND b.probe_run IS DISTINCT FROM p_run) THEN RETURN; END IF;
  IF b.paused IS NULL AND p_class <> 'A' AND b.failures < p_threshold THEN RETURN; END IF;
  UPDATE durable.backend SET paused = CASE WHEN p_class = 'A' THEN 'auth' ELSE 'circuit' END, paused_by = 'strata',
      why = p_reason, since = coalesce(b.since, t), probe_run = NULL,
      cooldown_s = least(p_cap_s, CASE WHEN b.paused IS NULL THEN p_cooldown_s ELSE greatest(b.cooldown_s, p_cooldown_s) * 2 END),
      until = t + make_interval(secs => least(p_cap_s, CASE WHEN b.paused IS NULL THEN p_cooldown_s ELSE greatest(b.cooldown_s, p_cooldown_s) * 2 END))
    WHERE name = p_name;
  INSERT INTO durable.alert VALUES ('backend', p_name, p_reason, t) ON CONFLICT (kind, subject) DO UPDATE SET message = excluded.message;
  PERFORM pg_notify('durable', 'backend');
END $$;

-- A step's outcome, refused (false) unless the caller still holds the run.
CREATE FUNCTION durable.record(
  p_run bigint, p_fence int, p_pos int, p_name text, p_kind text, p_result bytea, p_attempt int, p_took_ms int,
  p_progress boolean, p_backend text, p_facts jsonb
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE t timestamptz := durable.now();
BEGIN
  IF p_progress OR p_facts IS NOT NULL THEN
    UPDATE durable.run SET attempt = CASE WHEN p_progress THEN 0 ELSE attempt END, facts = facts || coalesce(p_facts, '{}'),
        first_failed_at = CASE WHEN p_progress THEN NULL ELSE first_failed_at END,
        failure_class = CASE WHEN p_progress THEN '' ELSE failure_class END,
        label = coalesce(p_facts ->> 'label', label), updated_at = t
      WHERE id = p_run AND fence = p_fence AND status = 'running';
  ELSE
    PERFORM FROM durable.run WHERE id = p_run AND fence = p_fence AND status = 'running' FOR SHARE;
  END IF;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO durable.step VALUES (p_run, p_pos, p_name, p_kind, p_result, p_fence, p_attempt, p_took_ms, t)
    ON CONFLICT DO NOTHING;
  IF p_backend IS NOT NULL THEN PERFORM durable.backend_ok(p_backend); END IF;
  RETURN true;
END $$;

-- Wait for a signal: 'signal' with its payload, 'timeout', 'parked', or 'fenced'.
CREATE FUNCTION durable.wait(
  p_run bigint, p_fence int, p_pos int, p_name text, p_signal text, p_reason text, p_timeout_s float8, p_facts jsonb,
  OUT outcome text, OUT result bytea
) LANGUAGE plpgsql AS $$
DECLARE t timestamptz := durable.now(); r durable.run; s durable.signal; w timestamptz;
BEGIN
  SELECT * INTO r FROM durable.run WHERE id = p_run FOR UPDATE;
  IF r.fence IS DISTINCT FROM p_fence THEN outcome := 'fenced'; RETURN; END IF;
  IF r.status <> 'running' THEN outcome := 'parked'; RETURN; END IF;  -- a repeat: the first call parked it
  SELECT d.kind, d.result INTO outcome, result FROM durable.step d WHERE d.run_id = p_run AND d.pos = p_pos;
  IF FOUND THEN RETURN; END IF;  -- a repeat: the first call recorded it
  SELECT sig.* INTO s FROM durable.signal sig WHERE sig.run_id = p_run AND sig.name = p_signal AND sig.consumed_pos IS NULL
    ORDER BY sig.id LIMIT 1;
  w := CASE WHEN r.wait_pos = p_pos THEN r.wait_until ELSE t + make_interval(secs => p_timeout_s) END;
  IF s.id IS NOT NULL THEN
    UPDATE durable.signal SET consumed_pos = p_pos WHERE id = s.id;
    outcome := 'signal'; result := s.payload;
  ELSIF w <= t THEN outcome := 'timeout'; result := '';
  ELSE outcome := 'parked';
  END IF;
  IF outcome <> 'parked' THEN
    INSERT INTO durable.step VALUES (p_run, p_pos, p_name, outcome, result, p_fence, 0, 0, t) ON CONFLICT DO NOTHING;
  END IF;
  UPDATE durable.run SET facts = facts || coalesce(p_facts, '{}'), label = coalesce(p_facts ->> 'label', label),
      status = CASE WHEN outcome = 'parked' THEN 'waiting' ELSE status END, owner = CASE WHEN outcome = 'parked' THEN NULL ELSE owner END,
      step = p_name, reason = CASE WHEN outcome = 'parked' THEN p_reason END, wait_signal = p_signal, wait_pos = p_pos, wait_until = w,
      next_at = w, begun = outcome <> 'parked', failure_class = '', attempt = 0, first_failed_at = NULL, updated_at = t
    WHERE id = p_run;
END $$;

CREATE FUNCTION durable.promote(p_order_key text) RETURNS void LANGUAGE sql AS $$
  UPDATE durable.run SET status = CASE WHEN next_at > durable.now() THEN 'sleeping' ELSE 'ready' END, updated_at = durable.now()
  WHERE id = (SELECT id FROM durable.run WHERE order_key = p_order_key AND status = 'queued' ORDER BY id LIMIT 1)
    AND status = 'queued'
$$;

-- A run leaves its worker: done, or ready (handed back), sleeping, waiting, parked, dead. Answers the status it got.
CREATE FUNCTION durable.leave(
  p_run bigint, p_fence int, p_order_key text, p_status text, p_class text, p_step text, p_reason text, p_problem bytea,
  p_delay_s float8, p_give_up_s float8, p_give_up_class text, p_burn boolean, p_begun boolean, p_backend text,
  p_threshold int, p_cooldown_s float8, p_cap_s float8, p_result bytea, p_facts jsonb
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE t timestamptz := durable.now(); r durable.run; held boolean; status_now text := p_status; class_now text := p_class;
  since timestamptz;
BEGIN
  IF p_status = 'done' THEN PERFORM durable.lock_key(p_order_key); END IF;
  SELECT * INTO r FROM durable.run WHERE id = p_run FOR UPDATE;
  IF r.fence IS DISTINCT FROM p_fence THEN RETURN 'fenced'; END IF;
  IF r.status <> 'running' THEN RETURN r.status; END IF;  -- a repeat: the first call was committed
  since := CASE WHEN p_give_up_s IS NULL THEN r.first_failed_at ELSE coalesce(r.first_failed_at, t) END;
  IF p_backend IS NOT NULL THEN
    IF p_class IN ('T', 'U', 'A') THEN
      PERFORM durable.backend_failed(p_backend, p_run, p_class, p_reason, p_threshold, p_cooldown_s, p_cap_s);
    END IF;
    held := EXISTS (SELECT FROM durable.backend WHERE name = p_backend AND paused IS NOT NULL);
    IF held AND p_status = 'sleeping' THEN status_now := 'parked';
    ELSIF NOT held AND p_status = 'parked' THEN status_now := 'ready';
    END IF;
  END IF;
  IF p_give_up_s IS NOT NULL AND t > since + make_interval(secs => p_give_up_s) THEN
    status_now := 'dead'; class_now := p_give_up_class;
  END IF;
  UPDATE durable.run SET status = status_now, failure_class = coalesce(class_now, failure_class), owner = NULL, begun = p_begun,
      attempt = attempt + CASE WHEN p_burn THEN 1 ELSE 0 END, first_failed_at = since,
      step = p_step, reason = p_reason, wait_signal = NULL,
      problem = CASE WHEN status_now <> 'done' THEN coalesce(p_problem, problem) END,
      backend = CASE WHEN status_now IN ('parked', 'sleeping', 'dead') THEN p_backend END,
      next_at = CASE WHEN status_now IN ('sleeping', 'waiting') THEN t + make_interval(secs => p_delay_s) END,
      facts = facts || coalesce(p_facts, '{}'), label = coalesce(p_facts ->> 'label', label), result = p_result,
      finished_at = CASE WHEN status_now = 'done' THEN t END, updated_at = t
    WHERE id = p_run;
  IF p_problem IS NOT NULL THEN
    INSERT INTO durable.history (run_id, at, fence, attempt, status, failure_class, step, reason)
      VALUES (p_run, t, p_fence, r.attempt + 1, status_now, class_now, p_step, p_reason);
  END IF;
  -- a probe that told nothing of the backend gives way to the next; one that was throttled lets the hint pass first
  UPDATE durable.backend SET probe_run = NULL, until = until + make_interval(secs => CASE WHEN p_class = 'R' THEN p_delay_s ELSE 0 END)
    WHERE probe_run = p_run;
  IF status_now = 'done' THEN PERFORM durable.promote(p_order_key); END IF;
  RETURN status_now;
END $$;

-- Everything that time brings: due runs, probes, the end of a pause, schedules. True: call again at once.
CREATE FUNCTION durable.tick() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE t timestamptz := durable.now(); b record; s record; n int; again boolean; picked bigint;
BEGIN
  WITH due AS (SELECT id FROM durable.run WHERE status IN ('sleeping', 'waiting') AND next_at <= t
               ORDER BY next_at LIMIT 500 FOR UPDATE SKIP LOCKED)
  UPDATE durable.run r SET status = 'ready', next_at = NULL, backend = NULL, updated_at = t FROM due WHERE r.id = due.id;
  GET DIAGNOSTICS n = ROW_COUNT;
  again := n = 500;
  FOR b IN SELECT name, paused FROM durable.backend WHERE (paused = 'operator' AND until <= t) OR (
      (paused IS NULL OR (until <= t AND probe_run IS NULL))
      AND EXISTS (SELECT FROM durable.run WHERE backend = name AND status = 'parked')) FOR UPDATE SKIP LOCKED LOOP
    IF b.paused = 'operator' THEN
      UPDATE durable.backend SET paused = NULL, since = NULL, until = NULL WHERE name = b.name;
      PERFORM pg_notify('durable', 'backend');
    ELSIF b.paused IS NOT NULL THEN  -- half open: the oldest run that waits for it is the one probe
      UPDATE durable.run SET status = 'ready', updated_at = t WHERE id = (
        SELECT id FROM durable.run WHERE backend = b.name AND status = 'parked' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id INTO picked;
      IF FOUND THEN
        UPDATE durable.backend SET probe_run = picked WHERE name = b.name;
        PERFORM pg_notify('durable', 'run');
      END IF;
      CONTINUE;
    END IF;
    WITH woken AS (SELECT id FROM durable.run WHERE backend = b.name AND status = 'parked'
                   ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED)
    UPDATE durable.run r SET status = 'ready', backend = NULL, updated_at = t FROM woken WHERE r.id = woken.id;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN PERFORM pg_notify('durable', 'run'); END IF;
    again := again OR n = 1000;
  END LOOP;
  FOR s IN SELECT name, process, every_s, input, next_at, run_id FROM durable.schedule sch WHERE next_at <= t
      AND NOT EXISTS (SELECT FROM durable.run WHERE id = sch.run_id AND status NOT IN ('dead', 'done', 'discarded'))
      ORDER BY name FOR UPDATE SKIP LOCKED LOOP
    -- however long nobody was there: one run catches up, the next is due at the next full interval
    SELECT run_id INTO picked FROM durable.start(s.process, NULL, s.name || '@' || to_char(s.next_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'schedule:' || s.name || '@' || extract(epoch FROM s.next_at), 5, s.name, gen_random_uuid()::text, NULL, NULL, s.input, NULL, NULL);
    UPDATE durable.schedule SET run_id = picked,
      next_at = s.next_at + make_interval(secs => s.every_s * (1 + floor(extract(epoch FROM t - s.next_at) / s.every_s)))
      WHERE name = s.name;
    UPDATE durable.run SET status = 'discarded', finished_at = t, updated_at = t WHERE id = s.run_id AND status = 'dead';
    IF FOUND THEN
      INSERT INTO durable.audit (operation, at, actor, action, why, item_id)
        VALUES (gen_random_uuid(), t, 'schedule', 'discard', 'superseded by run ' || picked, s.run_id);
    END IF;
  END LOOP;
  RETURN again;
END $$;

-- Dead workers lose their runs (their late writes meet a higher fence); runs that no live worker knows are told.
CREATE FUNCTION durable.housekeep(p_worker bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE taken int;
BEGIN
  DELETE FROM durable.worker WHERE id <> p_worker AND beat_at < clock_timestamp() - make_interval(secs => dead_after_s);
  UPDATE durable.run SET status = 'ready', owner = NULL, fence = fence + 1, updated_at = durable.now()
    WHERE status = 'running' AND NOT EXISTS (SELECT FROM durable.worker w WHERE w.id = owner);
  GET DIAGNOSTICS taken = ROW_COUNT;
  IF taken > 0 THEN PERFORM pg_notify('durable', 'run'); END IF;
  PERFORM durable.fold();
  DELETE FROM durable.alert a WHERE kind = 'unknown process' AND (
    EXISTS (SELECT FROM durable.worker k, unnest(k.processes, k.versions) d(process, version) WHERE a.subject = d.process || ' v' || d.version)
    OR NOT EXISTS (SELECT FROM durable.tally y WHERE a.subject = y.process || ' v' || y.version AND y.status NOT IN ('done', 'discarded')));
  INSERT INTO durable.alert
    SELECT 'unknown process', y.process || ' v' || y.version,
        sum(y.n) || ' unfinished runs, and no running worker has this process and version', durable.now()
    FROM durable.tally y WHERE y.status NOT IN ('done', 'discarded') AND NOT EXISTS (
      SELECT FROM durable.worker k, unnest(k.processes, k.versions) d(process, version)
      WHERE d.process = y.process AND d.version = y.version)
    GROUP BY y.process, y.version HAVING sum(y.n) > 0
    ON CONFLICT (kind, subject) DO UPDATE SET message = excluded.message;
  RETURN taken;
END $$;

-- What a person does to an item. Answers 'ok', or why it was refused. The same operation id is done once.
CREATE FUNCTION durable.operate(
  p_operation uuid, p_item bigint, p_action text, p_by text, p_why text, p_step text, p_payload bytea,
  p_type text, p_subject text, p_version text, p_data bytea  -- what an edited event says when it is read again
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE t timestamptz := durable.now(); r durable.run; e durable.inbox;
BEGIN
  IF EXISTS (SELECT FROM durable.audit WHERE operation = p_operation) THEN RETURN 'ok'; END IF;
  PERFORM durable.lock_key(order_key) FROM durable.run WHERE id = p_item;
  SELECT * INTO r FROM durable.run WHERE id = p_item FOR UPDATE;
  IF FOUND THEN
    IF r.status = 'running' THEN RETURN 'it is running'; END IF;
    IF p_action = 'discard' AND r.status = 'discarded' THEN RETURN 'ok'; END IF;
    IF r.status IN ('done', 'discarded') THEN RETURN 'it is ' || r.status; END IF;
    IF p_action = 'discard' THEN
      UPDATE durable.run SET status = 'discarded', finished_at = t, updated_at = t, next_at = NULL WHERE id = p_item;
      IF r.status <> 'queued' THEN PERFORM durable.promote(r.order_key); END IF;
    ELSE
      IF p_action = 'edit' THEN UPDATE durable.run SET input = p_payload WHERE id = p_item; END IF;
      IF p_action = 'skip' THEN
        IF EXISTS (SELECT FROM durable.step WHERE run_id = p_item AND name = p_step) THEN RETURN 'the step is done already'; END IF;
        INSERT INTO durable.override VALUES (p_item, p_step, p_payload)
          ON CONFLICT (run_id, step) DO UPDATE SET result = excluded.result;
      END IF;
      UPDATE durable.run SET status = CASE WHEN status = 'queued' THEN status ELSE 'ready' END, next_at = NULL, attempt = 0,
        first_failed_at = NULL, failure_class = '', backend = NULL, updated_at = t WHERE id = p_item;
      PERFORM pg_notify('durable', 'run');
    END IF;
    UPDATE durable.backend SET probe_run = NULL WHERE probe_run = p_item AND p_action = 'discard';
  ELSE
    SELECT * INTO e FROM durable.inbox WHERE id = p_item FOR UPDATE;
    IF NOT FOUND THEN RETURN 'missing'; END IF;
    IF p_action = 'discard' AND e.status = 'discarded' THEN RETURN 'ok'; END IF;
    IF e.status NOT IN ('quarantined', 'unrouted') THEN RETURN 'it is ' || e.status; END IF;
    IF p_action = 'discard' THEN UPDATE durable.inbox SET status = 'discarded' WHERE id = p_item;
    ELSIF p_action = 'skip' THEN RETURN 'an event has no steps';
    ELSE
      IF p_action = 'edit' THEN UPDATE durable.inbox SET body = p_payload, data = p_payload WHERE id = p_item; END IF;
      UPDATE durable.inbox SET type = coalesce(p_type, type), subject = coalesce(p_subject, subject),
        version = coalesce(p_version, version), data = coalesce(p_data, data) WHERE id = p_item;
      PERFORM durable.route(p_item);
    END IF;
  END IF;
  INSERT INTO durable.audit (operation, at, actor, action, why, item_id, before)
    VALUES (p_operation, t, p_by, p_action || CASE WHEN p_step IS NULL THEN '' ELSE ' ' || p_step END, p_why, p_item,
            CASE WHEN p_action = 'edit' THEN coalesce(r.input, e.body) END);
  RETURN 'ok';
END $$;

CREATE FUNCTION durable.switch(
  p_operation uuid, p_action text, p_backend text, p_by text, p_why text, p_until timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t timestamptz := durable.now();
BEGIN
  IF EXISTS (SELECT FROM durable.audit WHERE operation = p_operation) THEN RETURN; END IF;
  INSERT INTO durable.backend (name) VALUES (p_backend) ON CONFLICT DO NOTHING;
  IF p_action = 'pause' THEN
    UPDATE durable.backend SET paused = 'operator', paused_by = p_by, why = p_why, since = t, until = p_until, probe_run = NULL
      WHERE name = p_backend;
  ELSE
    UPDATE durable.backend SET paused = NULL, failures = 0, cooldown_s = 0, since = NULL, until = NULL, probe_run = NULL
      WHERE name = p_backend;
    DELETE FROM durable.alert WHERE kind = 'backend' AND subject = p_backend;
  END IF;
  INSERT INTO durable.audit (operation, at, actor, action, why, backend) VALUES (p_operation, t, p_by, p_action, p_why, p_backend);
  PERFORM pg_notify('durable', 'backend');
END $$;
