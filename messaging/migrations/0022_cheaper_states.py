from django.db import migrations, models
from django.db.models import Case, F, Q, When

# A message changes its state three to five times, and until now each change was written to every index, the words of
# its text worked out again for one of them, because the condition of `message_uncertain` named the state. With a part
# of each page left free such a change stays in its page and touches no index (a heap-only update). The table is
# written anew for the column, so the pages that are there get their room too.
ROOM = "ALTER TABLE messaging_message SET (fillfactor = 60)"
NO_ROOM = "ALTER TABLE messaging_message RESET (fillfactor)"


class Migration(migrations.Migration):
    dependencies = [("messaging", "0021_template_edit")]

    operations = [
        migrations.RunSQL(ROOM, NO_ROOM),
        migrations.RemoveIndex(model_name="message", name="message_uncertain"),
        migrations.AddField(
            model_name="message",
            name="uncertain_since",
            field=models.GeneratedField(
                db_persist=True,
                expression=Case(When(state="UNCERTAIN", then=F("stamped_at"))),
                output_field=models.DateTimeField(null=True),
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=Q(("uncertain_since__isnull", False)), fields=["uncertain_since"], name="message_uncertain"
            ),
        ),
    ]
