"""In which language somebody reads, kept with their account. Nobody chose yet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_unmasking_keys")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, db_default="", default="", max_length=2),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["", "nl", "en"])), name="user_language_known"
            ),
        ),
    ]
