import datetime
import django.db.models.deletion
import django.db.models.expressions
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_trouble_mails"),
    ]

    operations = [
        migrations.AddField(
            model_name="municipality",
            name="approves_entries",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="BreakGlass",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("employee_id", models.UUIDField()),
                ("employee_name", models.CharField(max_length=200)),
                ("roles", models.JSONField()),
                ("reason", models.CharField(max_length=500)),
                ("minutes", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("REQUESTED", "Requested"),
                            ("APPROVED", "Approved"),
                            ("REFUSED", "Refused"),
                            ("WITHDRAWN", "Withdrawn"),
                            ("OPEN", "Open"),
                            ("ENDED", "Ended"),
                        ],
                        max_length=10,
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("lapses_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, default="", max_length=200)),
                ("opened_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                ("user_id", models.UUIDField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, default="", max_length=200)),
                ("handover_digest", models.BinaryField(max_length=32, null=True, unique=True)),
                ("handover_until", models.DateTimeField(null=True)),
                ("asked_mailed_at", models.DateTimeField(null=True)),
                ("opened_mailed_at", models.DateTimeField(null=True)),
                ("mail_claimed_at", models.DateTimeField(null=True)),
                (
                    "municipality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="break_glass",
                        to="tenants.municipality",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["municipality", "-requested_at"], name="break_glass_by_moment")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("minutes__gte", 15), ("minutes__lte", 240)), name="break_glass_minutes"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason__regex", "\\S.{8,}\\S")), name="break_glass_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("roles__contained_by", ["ADMIN", "AGENT"]), models.Q(("roles", []), _negated=True)
                        ),
                        name="break_glass_roles_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ends_at__isnull", False),
                                ("opened_at__isnull", False),
                                ("state__in", ["OPEN", "ENDED"]),
                                ("user_id__isnull", False),
                            ),
                            models.Q(
                                ("ends_at", None),
                                ("opened_at", None),
                                ("state__in", ["REQUESTED", "APPROVED", "REFUSED", "WITHDRAWN"]),
                                ("user_id", None),
                            ),
                            _connector="OR",
                        ),
                        name="break_glass_opened_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at", None),
                            models.Q(
                                ("ends_at__gt", models.F("opened_at")),
                                (
                                    "ends_at__lte",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("opened_at"), "+", models.Value(datetime.timedelta(seconds=14400))
                                    ),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="break_glass_ends_in_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", False),
                                ("state", "ENDED"),
                                models.Q(("ended_by", ""), _negated=True),
                            ),
                            models.Q(models.Q(("state", "ENDED"), _negated=True), ("ended_at", None), ("ended_by", "")),
                            _connector="OR",
                        ),
                        name="break_glass_ended_told",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("handover_digest", None), ("handover_until", None)),
                            models.Q(("handover_digest__isnull", False), ("handover_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="break_glass_handover_whole",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["REQUESTED", "APPROVED", "OPEN"])),
                        fields=("municipality", "employee_id"),
                        name="break_glass_once",
                    ),
                ],
            },
        ),
    ]
