from django.db import migrations

# In `public` alone, whichever schema is migrated first. No model: what reads and writes it is audit/anchor.py.
MAKE = """
    CREATE TABLE IF NOT EXISTS public.audit_anchor (
        schema_name varchar(63) PRIMARY KEY,
        sequence bigint NOT NULL CONSTRAINT audit_anchor_counts CHECK (sequence > 0),
        hash bytea NOT NULL CONSTRAINT audit_anchor_hash CHECK (length(hash) = 32)
    );
    INSERT INTO public.audit_anchor (schema_name, sequence, hash)
        SELECT current_schema(), sequence, hash FROM audit_entry ORDER BY sequence DESC LIMIT 1
        ON CONFLICT (schema_name) DO NOTHING;
"""


class Migration(migrations.Migration):
    """Where each trail ends is kept outside it; for trails that there are, from now on."""

    dependencies = [("audit", "0003_origin")]

    operations = [migrations.RunSQL(MAKE, migrations.RunSQL.noop)]
