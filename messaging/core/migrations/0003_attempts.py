from django.db import migrations

from messaging.core.partitions import ADD_ATTEMPTS, create_tries


def create_everywhere(apps, schema_editor):
    for schema_name in apps.get_model("tenants", "Municipality").objects.values_list("schema_name", flat=True):
        create_tries(schema_name=schema_name)


class Migration(migrations.Migration):
    """Events know how often they were tried alone and put back; each inbox knows how many tries in a row did not end."""

    dependencies = [("messaging_core", "0002_inbox"), ("tenants", "0001_initial")]

    operations = [
        migrations.RunSQL(
            ADD_ATTEMPTS,
            "ALTER TABLE public.inbox DROP COLUMN attempts, DROP COLUMN replays, DROP COLUMN replayed_at",
        ),
        migrations.RunPython(create_everywhere, migrations.RunPython.noop),
    ]
