from django.db import migrations


class Migration(migrations.Migration):
    """Unowned events are found by their number when it is onboarded; only their own partition needs that."""

    dependencies = [("messaging_core", "0004_flow")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX quarantine_by_number ON quarantine.inbox_event (phone_number_id, id)",
            "DROP INDEX quarantine.quarantine_by_number",
        ),
    ]
