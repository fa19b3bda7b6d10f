"""Keys are of the room `accounts` now; nothing changes in the database (docs/adr/0012)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_api_key"), ("api", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="idempotencyrecord",
                    name="api_key",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="idempotency_records",
                        to="accounts.apikey",
                    ),
                ),
                migrations.DeleteModel(name="ApiKey"),
            ]
        )
    ]
