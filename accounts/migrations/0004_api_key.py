"""The keys of systems come here from the room `api`: their table stays where and as it is (docs/adr/0012)."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_break_glass"), ("api", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="ApiKey",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("name", models.CharField(max_length=100)),
                        ("scopes", models.JSONField()),
                        ("prefix", models.CharField(max_length=12, unique=True)),
                        ("secret_hash", models.BinaryField(max_length=32)),
                        ("created_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField(null=True)),
                        ("revoked_at", models.DateTimeField(null=True)),
                        ("last_used_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "db_table": "api_apikey",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("revoked_at", None)), fields=("name",), name="api_key_name_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "scopes__contained_by",
                                        [
                                            "invoices:read",
                                            "messages:read",
                                            "messages:send",
                                            "municipalities:read",
                                            "templates:read",
                                            "usage:read",
                                        ],
                                    )
                                ),
                                name="api_key_scopes_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("scopes", []), _negated=True), name="api_key_has_a_scope"
                            ),
                        ],
                    },
                )
            ]
        ),
        migrations.AddField("apikey", "allowed_ranges", models.JSONField(db_default=[], default=list)),
        migrations.AddField("apikey", "previous_prefix", models.CharField(max_length=12, null=True, unique=True)),
        migrations.AddField("apikey", "previous_hash", models.BinaryField(max_length=32, null=True)),
        migrations.AddField("apikey", "previous_until", models.DateTimeField(null=True)),
        migrations.AddField("apikey", "previous_used_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "apikey",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("previous_hash", None),
                        ("previous_prefix", None),
                        ("previous_until", None),
                        ("previous_used_at", None),
                    ),
                    models.Q(
                        ("previous_hash__isnull", False),
                        ("previous_prefix__isnull", False),
                        ("previous_until__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="api_key_previous_whole",
            ),
        ),
    ]
