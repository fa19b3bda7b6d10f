from django.db import migrations, models
from django.db.models import Q

# An outbox row is written three times in a few seconds of life: made, claimed, gone. With half of each page left free
# the claim stays in its page and touches no index (a heap-only update). Of pages that are there already only new rows
# take note.
ROOM = "ALTER TABLE messaging_outboxitem SET (fillfactor = 50)"
NO_ROOM = "ALTER TABLE messaging_outboxitem RESET (fillfactor)"
# Made by Django for LIKE, with every unique text; nobody looks messages up by the beginning of a wamid.
WITHOUT_LIKE = "DROP INDEX IF EXISTS messaging_message_wamid_7744b073_like"
WITH_LIKE = "CREATE INDEX messaging_message_wamid_7744b073_like ON messaging_message (wamid varchar_pattern_ops)"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0011_desk")]

    operations = [
        migrations.RunSQL(ROOM, NO_ROOM),
        migrations.RunSQL(WITHOUT_LIKE, WITH_LIKE),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=Q(("medium__isnull", False)), fields=["medium"], name="message_of_medium"),
        ),
        migrations.AlterField(
            model_name="message",
            name="medium",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="messages",
                to="messaging.medium",
            ),
        ),
        migrations.AlterField(
            model_name="messagestatus",
            name="message",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="statuses",
                to="messaging.message",
            ),
        ),
    ]
