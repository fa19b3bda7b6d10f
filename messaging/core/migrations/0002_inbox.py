from django.db import migrations

from messaging.core.partitions import CREATE_INTAKE_ROLE, CREATE_PARENT, QUARANTINE_SCHEMA, UNOWNED, create_partition


def create_quarantine(apps, schema_editor):
    schema_editor.execute(f"CREATE SCHEMA {QUARANTINE_SCHEMA}")
    create_partition(schema_name=QUARANTINE_SCHEMA, municipality_id=UNOWNED)


class Migration(migrations.Migration):
    """The inbox: parent table, the role that may only insert into it, and the partition of what is nobody's."""

    dependencies = [("messaging_core", "0001_initial"), ("tenants", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE_INTAKE_ROLE, migrations.RunSQL.noop),
        migrations.RunSQL(CREATE_PARENT, "DROP TABLE public.inbox"),
        migrations.RunPython(
            create_quarantine, lambda apps, editor: editor.execute(f"DROP SCHEMA {QUARANTINE_SCHEMA}")
        ),
    ]
