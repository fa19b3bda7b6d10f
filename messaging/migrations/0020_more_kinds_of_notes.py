"""A conversation says who handed it to which team, and who closed it and why."""

from django.db import migrations, models

KINDS = ["NOTE", "ASSIGNED", "RELEASED", "SNOOZED", "WOKEN", "CASE", "TEAM", "CLOSED"]
WORDS = ["Notitie", "Toegewezen", "Losgelaten", "Uitgesteld", "Weer opgepakt", "Zaaknummer", "Team", "Gesloten"]


class Migration(migrations.Migration):
    dependencies = [("messaging", "0019_search_without_accents")]

    operations = [
        migrations.AlterField(
            model_name="threadnote",
            name="kind",
            field=models.CharField(choices=list(zip(KINDS, WORDS, strict=True)), max_length=10),
        ),
        migrations.RemoveConstraint(model_name="threadnote", name="thread_note_kind_known"),
        migrations.AddConstraint(
            model_name="threadnote",
            constraint=models.CheckConstraint(condition=models.Q(("kind__in", KINDS)), name="thread_note_kind_known"),
        ),
    ]
