"""The lanes' SQL in a municipality's schema: what is claimed, and what came of it."""

# The lease row is locked in share mode: a claim and a change of owner come one after the other, never at once.
# A contact's messages leave in order: one that is under way, or waits and is as urgent, holds those behind it; a reply
# does not wait for a broadcast. What another transaction has locked is left for the next claim.
# An outbox is empty and full in turn, and a plan is kept: one that was made while it was empty, when all plans cost the
# same, reads all of it for each row. With the settings of the lanes' connections (store.py) one plan is left: in the
# order of the index outbox_of_lane; `earlier` by its contact, and not as a join (which OFFSET 0 forbids); what is
# claimed by where it lies. Rows that are known are named by an array, here and below: then their own index finds them.
# urgency: what is less urgent waits, by the limit of citizens written to first (messaging/lanes/firsts.py); without
# `firsts` also a single template to somebody new: no window is open, and nobody wrote to them since then.
CLAIM = """
    WITH lane AS (
        SELECT fencing_token FROM public.messaging_core_lane
        WHERE phone_number_id = %(number)s AND fencing_token = %(token)s AND leased_until > clock_timestamp()
            AND NOT EXISTS (  -- from the commit on that suspends it, nothing more is claimed
                SELECT FROM public.tenants_municipality AS municipality
                WHERE municipality.id = messaging_core_lane.municipality_id
                    AND municipality.stage IN ('SUSPENDED', 'OFFBOARDED')
            )
        FOR SHARE
    ), next AS (
        SELECT item.ctid FROM {schema}.messaging_outboxitem AS item
        JOIN {schema}.messaging_message AS message ON message.id = item.message_id
        WHERE item.phone_number_id = %(number)s AND item.claimed_by IS NULL AND item.due_at <= clock_timestamp()
            AND EXISTS (SELECT FROM lane) AND item.priority <= %(urgency)s
            AND (%(firsts)s OR item.request ->> 'type' <> 'template' OR EXISTS (
                SELECT FROM {schema}.messaging_thread AS thread
                WHERE thread.id = message.thread_id AND thread.last_inbound_at > %(since)s
            ) OR EXISTS (
                SELECT FROM {schema}.messaging_firstwrite AS earlier
                WHERE earlier.contact_id = item.contact_id AND earlier.written_at > %(since)s
            ))
            AND (%(templates)s OR item.request ->> 'type' <> 'template')
            AND item.contact_id <> ALL(%(held)s)
            -- In an election period nothing is started but in a crisis; what answers a citizen leaves.
            AND (
                NOT %(elections)s OR item.request ->> 'type' <> 'template'
                OR message.purpose = 'CRISIS' OR EXISTS (
                    SELECT FROM {schema}.messaging_thread AS thread
                    WHERE thread.id = message.thread_id AND thread.last_inbound_at > %(since)s
                )
            )
            AND NOT EXISTS (
                SELECT FROM {schema}.messaging_outboxitem AS earlier
                WHERE earlier.contact_id = item.contact_id
                    AND (earlier.phone_number_id = item.phone_number_id) IS TRUE AND (earlier.id < item.id) IS TRUE
                    AND (
                        earlier.claimed_by IS NOT NULL OR earlier.priority <= item.priority
                        -- What is held before an election does not hold up a crisis.
                        AND (NOT %(elections)s OR message.purpose <> 'CRISIS')
                    )
                OFFSET 0
            )
        ORDER BY item.priority, item.id
        LIMIT %(most)s
        FOR UPDATE OF item, message SKIP LOCKED
    ), claimed AS (
        UPDATE {schema}.messaging_outboxitem AS item SET claimed_by = %(token)s
        WHERE item.ctid = ANY(ARRAY(SELECT ctid FROM next))
        RETURNING item.id, item.message_id, item.contact_id, item.request, item.attempts
    ), sending AS (
        UPDATE {schema}.messaging_message AS message SET state = 'SENDING'
        FROM claimed WHERE message.id = claimed.message_id AND message.state = 'QUEUED'
        RETURNING claimed.id, claimed.message_id, claimed.contact_id, claimed.request, claimed.attempts,
            message.thread_id
    ), written AS (
        INSERT INTO {schema}.messaging_firstwrite (message_id, contact_id, written_at)
        SELECT sending.message_id, sending.contact_id, %(at)s
        FROM sending JOIN {schema}.messaging_thread AS thread ON thread.id = sending.thread_id
        WHERE %(counted)s AND sending.request ->> 'type' = 'template'
            AND (thread.last_inbound_at > %(since)s) IS NOT TRUE
        ON CONFLICT (message_id) DO UPDATE SET written_at = EXCLUDED.written_at
    )
    SELECT sending.message_id, (sending.request - ARRAY['to', 'recipient'])::text,
        sending.request ->> 'type' = 'template', sending.attempts, contact.wa_id, contact.bsuid, contact.id
    FROM sending
    JOIN {schema}.messaging_contact AS contact ON contact.id = sending.contact_id
    ORDER BY sending.id
"""

NEXT_DUE = """
    SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float FROM {schema}.messaging_outboxitem AS item
    WHERE phone_number_id = %(number)s AND claimed_by IS NULL
        AND (%(templates)s OR request ->> 'type' <> 'template')
        AND contact_id <> ALL(%(held)s) AND priority <= %(urgency)s
        AND (
            NOT %(elections)s OR request ->> 'type' <> 'template' OR EXISTS (
                SELECT FROM {schema}.messaging_message AS message
                JOIN {schema}.messaging_thread AS thread ON thread.id = message.thread_id
                WHERE message.id = item.message_id
                    AND (message.purpose = 'CRISIS' OR thread.last_inbound_at > %(since)s)
            )
        )
"""

# The citizens to whom the municipality wrote first since a moment; those of before are forgotten.
COUNT_FIRSTS = """
    WITH forgotten AS (DELETE FROM {schema}.messaging_firstwrite WHERE written_at <= %(since)s)
    SELECT count(*) FROM (
        SELECT FROM {schema}.messaging_firstwrite WHERE written_at > %(since)s GROUP BY contact_id
    ) AS citizens
"""

# From here on: the message first, its outbox row after, as who applies statuses does; so the two never deadlock.
# Whatever a lease left in SENDING when it ended may have been read by Meta: nobody knows, so no machine repeats it.
RECOVER = """
    WITH left_over AS (
        UPDATE {schema}.messaging_message AS message
        SET state = CASE WHEN message.state = 'SENDING' THEN 'UNCERTAIN' ELSE message.state END
        FROM {schema}.messaging_outboxitem AS item
        WHERE item.message_id = message.id AND item.phone_number_id = %(number)s AND item.claimed_by < %(token)s
        RETURNING message.id
    )
    DELETE FROM {schema}.messaging_outboxitem
    WHERE message_id = ANY(ARRAY(SELECT id FROM left_over)) RETURNING message_id
"""

# What came of many calls, in one commit. What another transaction has locked is left out, and told: it comes again.
# ACCEPTED and UNCERTAIN are the truth whenever they come, also after the lease was lost: no token is checked, and
# states only move forward. AGAIN only while the message is still ours: another owner may have made it UNCERTAIN
# meanwhile, and then it stays so.
# What is told is one JSON text, of store.Settlement: writing arrays costs the sender 30 microseconds a message. Returns
# the threads that changed, and the messages that are there and could not be had.
SETTLE = """
    WITH told AS (
        SELECT * FROM json_to_recordset(%(told)s::json)
            AS told (message_id uuid, kind text, wamid text, code int, reason text, seconds float, counts bool)
    ), free AS (
        SELECT told.*, message.state AS before, told.kind = 'AGAIN' AND EXISTS (
            SELECT FROM {schema}.messaging_outboxitem AS item
            WHERE item.message_id = message.id AND item.claimed_by = %(token)s
            OFFSET 0
        ) AS ours
        FROM told JOIN {schema}.messaging_message AS message ON message.id = told.message_id
            AND message.id = ANY(ARRAY(SELECT message_id FROM told))
        FOR NO KEY UPDATE OF message SKIP LOCKED
    ), settled AS (
        UPDATE {schema}.messaging_message AS message
        SET wamid = CASE WHEN free.kind = 'ACCEPTED' THEN coalesce(message.wamid, free.wamid) ELSE message.wamid END,
            state = CASE
                WHEN free.kind = 'ACCEPTED' AND before IN ('QUEUED', 'SENDING', 'UNCERTAIN') THEN 'ACCEPTED'
                WHEN free.kind = 'UNCERTAIN' AND before = 'SENDING' THEN 'UNCERTAIN'
                WHEN free.kind = 'FAILED' AND before IN ('SENDING', 'UNCERTAIN') THEN 'FAILED'
                WHEN free.kind = 'AGAIN' AND before = 'SENDING' AND ours THEN 'QUEUED'
                ELSE before END,
            failed_code = CASE WHEN free.kind = 'FAILED' AND before IN ('SENDING', 'UNCERTAIN') THEN free.code
                ELSE message.failed_code END,
            failed_reason = CASE WHEN free.kind = 'FAILED' AND before IN ('SENDING', 'UNCERTAIN')
                THEN left(free.reason, 300) ELSE message.failed_reason END
        FROM free WHERE free.message_id = message.id
        RETURNING message.id, message.thread_id, free.kind, free.counts, free.seconds
    ), unwritten AS (
        DELETE FROM {schema}.messaging_firstwrite
        WHERE message_id = ANY(ARRAY(SELECT id FROM settled WHERE kind IN ('FAILED', 'AGAIN')))
    ), gone AS (
        DELETE FROM {schema}.messaging_outboxitem
        WHERE message_id = ANY(ARRAY(SELECT id FROM settled WHERE kind <> 'AGAIN'))
    ), back AS (
        UPDATE {schema}.messaging_outboxitem AS item
        SET claimed_by = NULL, attempts = attempts + settled.counts::int,
            due_at = clock_timestamp() + make_interval(secs => settled.seconds)
        FROM settled
        WHERE item.message_id = ANY(ARRAY(SELECT id FROM settled WHERE kind = 'AGAIN'))
            AND item.message_id = settled.id AND item.claimed_by = %(token)s
    )
    SELECT NULL, thread_id::text FROM settled WHERE kind <> 'AGAIN'
    UNION ALL
    SELECT message_id, NULL FROM told
    WHERE message_id NOT IN (SELECT id FROM settled)
        AND EXISTS (SELECT FROM {schema}.messaging_message WHERE id = told.message_id OFFSET 0)
"""

# A free-form answer whose window closed before it could leave will never be taken: people must know, and see who.
# Only replies: of broadcasts there may be very many, and Meta refuses the few that are no templates.
EXPIRE = """
    WITH waiting AS MATERIALIZED (
        SELECT message_id FROM {schema}.messaging_outboxitem
        WHERE phone_number_id = %(number)s AND priority = 0 AND claimed_by IS NULL AND request ->> 'type' <> 'template'
    ), late AS (
        SELECT id FROM {schema}.messaging_message AS message
        WHERE id = ANY(ARRAY(SELECT message_id FROM waiting)) AND state = 'QUEUED' AND (
            SELECT last_inbound_at FROM {schema}.messaging_thread WHERE id = message.thread_id
        ) <= %(closed_before)s
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), failed AS (
        UPDATE {schema}.messaging_message AS message SET state = 'FAILED', failed_reason = %(reason)s
        FROM late WHERE message.id = late.id RETURNING message.id, message.thread_id
    ), gone AS (
        DELETE FROM {schema}.messaging_outboxitem WHERE message_id = ANY(ARRAY(SELECT id FROM failed))
    )
    SELECT thread_id::text FROM failed
"""

# What citizens wrote to the number since the last look; statuses do not count.
LAST_EVENT = "SELECT coalesce(max(id), 0) FROM {schema}.inbox_event WHERE municipality_id = %(municipality)s"

INBOUND = """
    SELECT count(*) FILTER (WHERE kind = 'MESSAGE' AND phone_number_id = %(number)s), coalesce(max(id), %(after)s)
    FROM {schema}.inbox_event WHERE municipality_id = %(municipality)s AND id > %(after)s
"""

# Gone before Meta is called: at most once. Typing lasts 25 seconds, and is not told when most of these are over.
TAKE_RECEIPTS = """
    WITH next AS MATERIALIZED (  -- else the planner may run it again for each row, past its LIMIT
        SELECT thread_id FROM {schema}.messaging_readreceipt
        WHERE phone_number_id = %(number)s ORDER BY requested_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
    )
    DELETE FROM {schema}.messaging_readreceipt WHERE thread_id IN (SELECT thread_id FROM next)
    RETURNING wamid, typing AND requested_at > clock_timestamp() - interval '15 seconds'
"""
