import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_tenant_script")]

    operations = [
        migrations.CreateModel(
            name="ElectionPeriod",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("begins_date", models.DateField()),
                ("ends_date", models.DateField()),
                ("set_by", models.CharField(max_length=200)),
                ("set_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "municipality",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="election_periods",
                        to="tenants.municipality",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_date__gte", models.F("begins_date"))),
                        name="election_period_ends_after_begin",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="election_period_named"
                    ),
                ],
            },
        ),
    ]
