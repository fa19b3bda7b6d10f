"""When Meta was last asked about a number, and why that failed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0014_data_until")]

    operations = [
        migrations.AddField(model_name="numberhealth", name="asked_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="numberhealth",
            name="asked_failure",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
    ]
