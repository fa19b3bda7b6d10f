import django.db.models.deletion
import uuid
from django.db import migrations, models


# What was decided is on record for good.
REFUSE = """
    CREATE FUNCTION declaration_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a change of a declaration that was decided stays' USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER declaration_change_decided_stays BEFORE UPDATE OR DELETE ON tenants_declarationchange
        FOR EACH ROW WHEN (OLD.state <> 'WAITING') EXECUTE FUNCTION declaration_refuse_change();
"""
ALLOW = """
    DROP TRIGGER declaration_change_decided_stays ON tenants_declarationchange;
    DROP FUNCTION declaration_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0012_plain_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeclarationChange",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("before", models.JSONField()),
                ("purposes", models.JSONField()),
                ("terms_version", models.CharField(max_length=20)),
                ("signatory_name", models.CharField(max_length=200)),
                ("signatory_function", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "Wacht op goedkeuring"),
                            ("APPROVED", "Goedgekeurd"),
                            ("REJECTED", "Afgewezen"),
                            ("WITHDRAWN", "Teruggenomen"),
                        ],
                        default="WAITING",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("asked_by_schema", models.CharField(max_length=63)),
                ("asked_by_id", models.CharField(max_length=40)),
                ("asked_by_name", models.CharField(max_length=200)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by_name", models.CharField(blank=True, default="", max_length=200)),
                ("reason", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "municipality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="declaration_changes",
                        to="tenants.municipality",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "WAITING")),
                        fields=("municipality",),
                        name="declaration_change_waits_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["WAITING", "APPROVED", "REJECTED", "WITHDRAWN"])),
                        name="declaration_change_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at", None), ("decided_by_name", ""), ("reason", ""), ("state", "WAITING")
                            ),
                            models.Q(
                                models.Q(("state", "WAITING"), _negated=True),
                                ("decided_at__isnull", False),
                                models.Q(("decided_by_name", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="declaration_change_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "REJECTED"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="declaration_change_rejected_says_why",
                    ),
                ],
            },
        ),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
