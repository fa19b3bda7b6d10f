from django.db import migrations

# Each table's trigger function says in one line what it refuses. All of it lies in `public`; the functions fix their
# search_path, so that they find the tables from a tenant's schema too.

APPEND_ONLY = """
    CREATE FUNCTION billing_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$;
"""

APPEND_ONLY_TABLES = [
    "billing_fact",
    "billing_factreport",
    "billing_contactlink",
    "billing_latecontact",
    "billing_month",
    "billing_correction",
]

CONVERSATIONS = """
    CREATE FUNCTION billing_guard_conversation() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    DECLARE
        row billing_conversation := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            RAISE EXCEPTION 'a conversation is replaced, never altered' USING ERRCODE = 'restrict_violation';
        END IF;
        IF EXISTS (SELECT FROM billing_month WHERE month >= row.month) THEN
            RAISE EXCEPTION 'the month of this conversation is closed: it stands' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN row;
    END $$;
    CREATE TRIGGER billing_conversation_guard BEFORE INSERT OR UPDATE OR DELETE ON billing_conversation
        FOR EACH ROW EXECUTE FUNCTION billing_guard_conversation();
"""

CLOSING = """
    CREATE FUNCTION billing_guard_month() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM billing_month WHERE month > NEW.month) THEN
            RAISE EXCEPTION 'a later month is closed already' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER billing_month_in_order BEFORE INSERT ON billing_month
        FOR EACH ROW EXECUTE FUNCTION billing_guard_month();
"""

RATES = """
    CREATE FUNCTION billing_guard_rate_card() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM billing_invoiceline WHERE card_id = OLD.id) THEN
            RAISE EXCEPTION 'this rate card was used' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$;
    CREATE TRIGGER billing_rate_card_used BEFORE UPDATE OR DELETE ON billing_ratecard
        FOR EACH ROW EXECUTE FUNCTION billing_guard_rate_card();
    CREATE FUNCTION billing_guard_rate() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        -- A price may be added for a category that had none: nothing was billed with it.
        IF EXISTS (SELECT FROM billing_invoiceline WHERE card_id = OLD.card_id) THEN
            RAISE EXCEPTION 'this rate card was used' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$;
    CREATE TRIGGER billing_rate_used BEFORE UPDATE OR DELETE ON billing_rate
        FOR EACH ROW EXECUTE FUNCTION billing_guard_rate();
"""

INVOICES = """
    CREATE FUNCTION billing_guard_invoice() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'an invoice is never deleted' USING ERRCODE = 'restrict_violation';
        END IF;
        IF (NEW.id, NEW.municipality_id, NEW.period, NEW.kind)
                IS DISTINCT FROM (OLD.id, OLD.municipality_id, OLD.period, OLD.kind)
            OR OLD.status <> 'DRAFT' AND (NEW.currency, NEW.vat_rate, NEW.net_cents, NEW.vat_cents, NEW.total_cents,
                    NEW.lines_hash, NEW.drafted_at)
                IS DISTINCT FROM (OLD.currency, OLD.vat_rate, OLD.net_cents, OLD.vat_cents, OLD.total_cents,
                    OLD.lines_hash, OLD.drafted_at)
            OR OLD.status <> 'DRAFT' AND NEW.status = 'DRAFT' THEN
            RAISE EXCEPTION 'an invoice out of draft stands' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER billing_invoice_guard BEFORE UPDATE OR DELETE ON billing_invoice
        FOR EACH ROW EXECUTE FUNCTION billing_guard_invoice();
    CREATE FUNCTION billing_guard_line() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    DECLARE
        row billing_invoiceline := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.invoice_id <> OLD.invoice_id
            OR EXISTS (SELECT FROM billing_invoice WHERE id = row.invoice_id AND status <> 'DRAFT') THEN
            RAISE EXCEPTION 'the lines of an invoice out of draft stand' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN row;
    END $$;
    CREATE TRIGGER billing_line_guard BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
        FOR EACH ROW EXECUTE FUNCTION billing_guard_line();
"""

# Emptying a table at once would pass by the triggers for each row.
GUARDED_TABLES = [
    "billing_conversation",
    "billing_ratecard",
    "billing_rate",
    "billing_invoice",
    "billing_invoiceline",
]


def refusing(*, tables: list[str], events: str) -> str:
    """Return SQL that refuses these events on these tables, whoever holds the connection."""
    return "".join(
        f"CREATE TRIGGER {table}_append_only BEFORE {events} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_change();"
        for table in tables
    )


class Migration(migrations.Migration):
    """What was counted and billed refuses to be changed, by whoever holds the connection."""

    dependencies = [("billing", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION billing_refuse_change() CASCADE"),
        migrations.RunSQL(
            refusing(tables=APPEND_ONLY_TABLES, events="UPDATE OR DELETE OR TRUNCATE"), migrations.RunSQL.noop
        ),
        migrations.RunSQL(refusing(tables=GUARDED_TABLES, events="TRUNCATE"), migrations.RunSQL.noop),
        migrations.RunSQL(CONVERSATIONS, "DROP FUNCTION billing_guard_conversation() CASCADE"),
        migrations.RunSQL(CLOSING, "DROP FUNCTION billing_guard_month() CASCADE"),
        migrations.RunSQL(
            RATES, "DROP FUNCTION billing_guard_rate_card() CASCADE; DROP FUNCTION billing_guard_rate() CASCADE"
        ),
        migrations.RunSQL(
            INVOICES, "DROP FUNCTION billing_guard_invoice() CASCADE; DROP FUNCTION billing_guard_line() CASCADE"
        ),
    ]
