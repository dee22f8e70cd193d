-- When everything stood still (a paused machine, a database that hung), all processes look dead to the first that wakes.
-- So only a process that has itself been heard without a gap may free what others held.
ALTER TABLE governor.process ADD COLUMN steady_since timestamptz NOT NULL DEFAULT now();

-- One turn of a process at an account: give back `done`, queue `want` (in that order), then grant the oldest tickets
-- while there is room, whosesoever they are; their owners are told by NOTIFY. Answers the leases that `me` holds.
-- tidy: also free what dead processes held (only who was never silent itself may call others dead), and put back leases of `me` (`held`) that the database has lost.
-- Safe to repeat: ids are made by the caller.
CREATE OR REPLACE FUNCTION governor.turn(
    me uuid, acct text, room int, done uuid[], want uuid[], held uuid[], tidy boolean, dead_after interval
) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    at       timestamptz;
    taken    int;
    settling boolean := false;
    steady   boolean := false;
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
        steady := EXISTS (
            SELECT FROM governor.process p WHERE p.id = me
            AND p.alive_until > at + dead_after / 2 AND p.steady_since < at - dead_after * 0.6
        );
        IF steady AND NOT settling THEN
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

-- A sign of life; at the same time dead processes without leases are forgotten.
CREATE OR REPLACE FUNCTION governor.beat(me uuid, dead_after interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO governor.process AS p (id, alive_until, steady_since)
    VALUES (me, clock_timestamp() + dead_after, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET
        alive_until = excluded.alive_until,
        steady_since = CASE
            WHEN p.alive_until < clock_timestamp() + dead_after / 2 THEN excluded.steady_since  -- it was silent
            ELSE p.steady_since
        END;
    DELETE FROM governor.process p WHERE p.alive_until < clock_timestamp() - interval '1 hour';
END $$;
