"""The lanes' SQL in `public`: leases, notes of work, what sending from a number needs. Runs on the database's clock."""

ACQUIRE = """
    UPDATE public.messaging_core_lane AS lane
    SET owner = %(owner)s, fencing_token = fencing_token + 1,
        leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    FROM public.tenants_municipality AS municipality
    WHERE municipality.id = lane.municipality_id AND lane.phone_number_id IN (
        SELECT phone_number_id FROM public.messaging_core_lane
        WHERE leased_until < clock_timestamp()
            AND (phone_number_id = ANY(%(wanted)s) OR owner <> '')  -- wanted, or left by an owner that died
        ORDER BY phone_number_id FOR UPDATE SKIP LOCKED
    )
    RETURNING lane.phone_number_id, municipality.schema_name, lane.fencing_token, municipality.id
"""

RENEW = """
    UPDATE public.messaging_core_lane
    SET leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE owner = %(owner)s AND leased_until > clock_timestamp() AND phone_number_id = ANY(%(numbers)s)
    RETURNING phone_number_id
"""

RELEASE = """
    UPDATE public.messaging_core_lane SET owner = '', leased_until = clock_timestamp()
    WHERE phone_number_id = %(number)s AND fencing_token = %(token)s
"""

# With what is wrong with the number by what people were told (tenants/trouble.py), and whether it is in an election
# period on a day of the domain's clock (tenants/elections.py). Whoever is suspended sends nothing (tenants/stages.py):
# without a token a lane rests, and takes up its work with the next one that it is given.
SETTINGS = """
    SELECT number.phone_number_id, number.waba_id,
        CASE WHEN municipality.stage NOT IN ('SUSPENDED', 'OFFBOARDED') THEN number.access_token_encrypted END,
        number.messages_per_second,
        greatest(0, coalesce(extract(epoch FROM lane.paused_until - clock_timestamp()), 0))::float,
        ARRAY(
            SELECT kind FROM public.tenants_trouble AS trouble
            WHERE trouble.number_id = number.id AND trouble.closed_at IS NULL
        ),
        coalesce((
            SELECT messaging_limit FROM public.tenants_numberhealth AS health WHERE health.number_id = number.id
        ), ''),
        EXISTS (
            SELECT FROM public.tenants_electionperiod AS period
            WHERE (period.municipality_id IS NULL OR period.municipality_id = number.municipality_id)
                AND period.lifted_at IS NULL AND %(day)s BETWEEN period.begins_date AND period.ends_date
        )
    FROM public.tenants_number AS number
    JOIN public.tenants_municipality AS municipality ON municipality.id = number.municipality_id
    JOIN public.messaging_core_lane AS lane USING (phone_number_id)
    WHERE number.closed_at IS NULL AND number.phone_number_id = ANY(%(numbers)s)
"""

# An account that is stopped stops all its numbers: each has its lane, some of them in other processes.
PAUSE = """
    UPDATE public.messaging_core_lane AS lane
    SET paused_until = clock_timestamp() + make_interval(secs => %(seconds)s), paused_reason = %(reason)s
    WHERE EXISTS (
            SELECT FROM public.messaging_core_lane WHERE phone_number_id = %(number)s AND fencing_token = %(token)s
        )
        AND (phone_number_id = %(number)s OR phone_number_id IN (
            SELECT phone_number_id FROM public.tenants_number WHERE waba_id = %(waba)s AND closed_at IS NULL
        ))
    RETURNING phone_number_id
"""

RESUME = """
    UPDATE public.messaging_core_lane SET paused_until = NULL, paused_reason = ''
    WHERE phone_number_id = %(number)s AND paused_until IS NOT NULL
"""

TAKE_WAKES = """
    DELETE FROM public.messaging_core_outboxwake WHERE phone_number_id = ANY(%(numbers)s) RETURNING phone_number_id
"""

# Notes that no lane will ever take: they would be looked at twenty times a second for ever.
DROP_WAKES = """
    DELETE FROM public.messaging_core_outboxwake AS wake WHERE NOT EXISTS (
        SELECT FROM public.messaging_core_lane AS lane WHERE lane.phone_number_id = wake.phone_number_id
    ) RETURNING wake.phone_number_id
"""

WANTED = "SELECT DISTINCT phone_number_id FROM public.messaging_core_outboxwake"

SCHEMAS = "SELECT schema_name FROM public.tenants_municipality ORDER BY schema_name"

HAS_OUTBOX = "(SELECT DISTINCT phone_number_id FROM {schema}.messaging_outboxitem)"

# Numbers of which people were told that Meta is out of reach: somebody has to see when that is over.
OUT_OF_REACH = """
    SELECT number.phone_number_id FROM public.tenants_trouble AS trouble
    JOIN public.tenants_number AS number ON number.id = trouble.number_id
    WHERE trouble.kind = 'UNREACHABLE' AND trouble.closed_at IS NULL AND number.closed_at IS NULL
"""
