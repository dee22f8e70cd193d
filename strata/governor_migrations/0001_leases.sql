CREATE SCHEMA IF NOT EXISTS governor;

-- The operating-system processes that ask for leases. Silent beyond alive_until = dead.
CREATE TABLE governor.process (
    id          uuid        PRIMARY KEY,
    alive_until timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- One row is a ticket while it waits for its turn (granted_at is null) and a lease afterwards.
CREATE TABLE governor.lease (
    id         uuid        PRIMARY KEY,
    seq        bigint      GENERATED ALWAYS AS IDENTITY,
    account    text        NOT NULL,
    process    uuid        NOT NULL,
    cap        int         NOT NULL CHECK (cap > 0),
    queued_at  timestamptz NOT NULL,
    granted_at timestamptz,
    keep_until timestamptz           -- the backend may still be at work on it; nothing but time frees it
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX lease_by_account ON governor.lease (account, seq);

-- One turn of a process at an account: give back `done`, queue `want` (in that order), then grant the oldest tickets
-- while there is room, whosesoever they are; their owners are told by NOTIFY. Answers the leases that `me` holds.
-- tidy: also free what dead processes held, and put back leases of `me` (`held`) that the database has lost.
-- Safe to repeat: ids are made by the caller.
CREATE FUNCTION governor.turn(
    me uuid, acct text, room int, done uuid[], want uuid[], held uuid[], tidy boolean, dead_after interval
) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    at       timestamptz;
    taken    int;
    settling boolean := false;
    ticket   record;
BEGIN
    -- A lease that a database crash forgets is put back by its holder within a beat, so nobody waits for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtextextended('strata.governor:' || acct, 0));
    at := clock_timestamp();

    -- Just after a crash of the database, processes that lived through it must be heard before anything is granted.
    IF pg_postmaster_start_time() > at - dead_after / 2 THEN
        settling := EXISTS (
            SELECT FROM governor.process p
            WHERE p.id <> me AND p.alive_until > pg_postmaster_start_time() - dead_after
        );
    END IF;

    IF cardinality(done) > 0 THEN
        DELETE FROM governor.lease l WHERE l.id = ANY (done) AND l.process = me AND l.keep_until IS NULL;
    END IF;
    IF cardinality(want) > 0 THEN
        INSERT INTO governor.lease (id, account, process, cap, queued_at)
        SELECT w.id, acct, me, room, at FROM unnest(want) WITH ORDINALITY AS w (id, place) ORDER BY w.place
        ON CONFLICT (id) DO NOTHING;
    END IF;
    IF tidy THEN
        INSERT INTO governor.lease (id, account, process, cap, queued_at, granted_at)
        SELECT h, acct, me, room, at, at FROM unnest(held) h
        ON CONFLICT (id) DO UPDATE SET granted_at = coalesce(governor.lease.granted_at, excluded.granted_at);
        IF NOT settling THEN
            DELETE FROM governor.lease l
            WHERE l.account = acct AND CASE
                WHEN l.keep_until IS NOT NULL THEN l.keep_until <= at
                ELSE NOT EXISTS (SELECT FROM governor.process p WHERE p.id = l.process AND p.alive_until > at)
            END;
        END IF;
    END IF;

    IF NOT settling THEN
        SELECT count(*) INTO taken FROM governor.lease l WHERE l.account = acct AND l.granted_at IS NOT NULL;
        FOR ticket IN
            SELECT l.id, l.process, l.cap FROM governor.lease l
            WHERE l.account = acct AND l.granted_at IS NULL ORDER BY l.seq
        LOOP
            EXIT WHEN taken >= ticket.cap;
            UPDATE governor.lease SET granted_at = at WHERE id = ticket.id;
            taken := taken + 1;
            IF ticket.process <> me THEN
                PERFORM pg_notify('governor_' || replace(ticket.process::text, '-', ''), acct || ' ' || ticket.id);
            END IF;
        END LOOP;
    END IF;

    RETURN QUERY SELECT l.id FROM governor.lease l
        WHERE l.account = acct AND l.process = me AND l.granted_at IS NOT NULL AND l.keep_until IS NULL;
END $$;

-- Keep a lease for some seconds whatever becomes of its process. Waits for the disk: nobody would put it back.
CREATE FUNCTION governor.keep(me uuid, acct text, room int, lease uuid, seconds double precision)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO governor.lease (id, account, process, cap, queued_at, granted_at, keep_until)
    VALUES (lease, acct, me, room, clock_timestamp(), clock_timestamp(),
            clock_timestamp() + make_interval(secs => seconds))
    ON CONFLICT (id) DO UPDATE
        SET keep_until = excluded.keep_until, granted_at = coalesce(governor.lease.granted_at, excluded.granted_at);
$$;

-- A sign of life; at the same time dead processes without leases are forgotten.
CREATE FUNCTION governor.beat(me uuid, dead_after interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO governor.process (id, alive_until) VALUES (me, clock_timestamp() + dead_after)
    ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until;
    DELETE FROM governor.process p WHERE p.alive_until < clock_timestamp() - interval '1 hour';
END $$;

-- A clean end: everything but the kept leases goes at once, and the freed places are granted by whoever turns next.
CREATE FUNCTION governor.leave(me uuid) RETURNS void LANGUAGE sql AS $$
    DELETE FROM governor.lease WHERE process = me AND keep_until IS NULL;
    DELETE FROM governor.process WHERE id = me;
$$;
