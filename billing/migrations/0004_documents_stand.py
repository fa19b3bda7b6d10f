from django.db import migrations

# As in 0002: each function says in one line what it refuses, and fixes its search_path.

INVOICES = """
    CREATE OR REPLACE FUNCTION billing_guard_invoice() RETURNS trigger LANGUAGE plpgsql
        SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'an invoice is never deleted' USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.status IN ('FINALISED', 'PAID', 'CREDITED')
            AND to_jsonb(NEW) - 'status' IS DISTINCT FROM to_jsonb(OLD) - 'status' THEN
            RAISE EXCEPTION 'a finalised invoice is never changed' USING ERRCODE = 'restrict_violation';
        END IF;
        IF (NEW.id, NEW.municipality_id, NEW.period, NEW.kind, NEW.credits_id, NEW.reason)
                IS DISTINCT FROM (OLD.id, OLD.municipality_id, OLD.period, OLD.kind, OLD.credits_id, OLD.reason)
            OR OLD.status <> 'DRAFT' AND (NEW.currency, NEW.vat_rate, NEW.net_cents, NEW.vat_cents, NEW.total_cents,
                    NEW.vat, NEW.lines_hash, NEW.drafted_at, NEW.prepared_by_schema, NEW.prepared_by_id)
                IS DISTINCT FROM (OLD.currency, OLD.vat_rate, OLD.net_cents, OLD.vat_cents, OLD.total_cents,
                    OLD.vat, OLD.lines_hash, OLD.drafted_at, OLD.prepared_by_schema, OLD.prepared_by_id)
            OR OLD.status <> 'DRAFT' AND NEW.status = 'DRAFT' THEN
            RAISE EXCEPTION 'an invoice out of draft stands' USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
                ('DRAFT', 'REVIEW'), ('REVIEW', 'APPROVED'), ('APPROVED', 'REVIEW'), ('APPROVED', 'FINALISED'),
                ('FINALISED', 'PAID'), ('PAID', 'FINALISED'), ('FINALISED', 'CREDITED'), ('PAID', 'CREDITED')) THEN
            RAISE EXCEPTION 'an invoice does not go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
"""

# A number is one more than the last, whatever a program thinks.
COUNTER = """
    CREATE FUNCTION billing_guard_counter() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR TG_OP = 'INSERT' AND NEW.last <> 1
            OR TG_OP = 'UPDATE' AND (NEW.series, NEW.year, NEW.last)
                IS DISTINCT FROM (OLD.series, OLD.year, OLD.last + 1) THEN
            RAISE EXCEPTION 'a counter goes up by one' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER billing_counter_guard AFTER INSERT OR UPDATE OR DELETE ON billing_invoicecounter
        FOR EACH ROW EXECUTE FUNCTION billing_guard_counter();
"""

ADJUSTMENTS = """
    CREATE FUNCTION billing_guard_adjustment() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM billing_month WHERE month >= NEW.run) THEN
            RAISE EXCEPTION 'the month of this run is closed' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER billing_adjustment_guard AFTER INSERT ON billing_adjustment
        FOR EACH ROW EXECUTE FUNCTION billing_guard_adjustment();
"""

APPEND_ONLY_TABLES = ["billing_billingprofile", "billing_payment", "billing_adjustment", "billing_messagecount"]


def refusing(*, tables: list[str], events: str) -> str:
    """Return SQL that refuses these events on these tables, whoever holds the connection."""
    return "".join(
        f"CREATE TRIGGER {table}_append_only BEFORE {events} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_change();"
        for table in tables
    )


class Migration(migrations.Migration):
    """What was numbered stands, and what was booked is only ever added to."""

    dependencies = [("billing", "0003_rate_cards_states_and_numbers")]

    operations = [
        migrations.RunSQL(INVOICES, migrations.RunSQL.noop),
        migrations.RunSQL(COUNTER, "DROP FUNCTION billing_guard_counter() CASCADE"),
        migrations.RunSQL(ADJUSTMENTS, "DROP FUNCTION billing_guard_adjustment() CASCADE"),
        migrations.RunSQL(
            refusing(tables=APPEND_ONLY_TABLES, events="UPDATE OR DELETE OR TRUNCATE"), migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            refusing(tables=["billing_invoicecounter"], events="DELETE OR TRUNCATE"), migrations.RunSQL.noop
        ),
    ]
