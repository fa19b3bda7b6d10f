from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("messaging", "0008_leaner_indexes")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=BrinIndex(fields=["created_at"], name="message_by_day", pages_per_range=32),
        ),
    ]
