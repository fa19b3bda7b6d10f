import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging_core", "0005_quarantine_by_number")]

    operations = [
        migrations.AddField(
            model_name="inboxfigures", name="templates_paused", field=models.PositiveIntegerField(default=0)
        ),
        migrations.CreateModel(
            name="DraftReview",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("municipality_id", models.UUIDField()),
                ("template_id", models.UUIDField()),
                ("wording_hash", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=512)),
                ("language", models.CharField(max_length=10)),
                ("purpose", models.CharField(max_length=20)),
                ("components", models.JSONField()),
                ("findings", models.JSONField()),
                ("policy_date", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "Wacht op beoordeling"),
                            ("RELEASED", "Vrijgegeven"),
                            ("REFUSED", "Geweigerd"),
                        ],
                        default="WAITING",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.CharField(max_length=200)),
                ("reason", models.CharField(blank=True, default="", max_length=1000)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "WAITING")), fields=["asked_at"], name="draft_review_waiting"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("template_id", "wording_hash"), name="draft_review_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["WAITING", "RELEASED", "REFUSED"])),
                        name="draft_review_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", ""), ("reason", ""), ("state", "WAITING")),
                            models.Q(
                                models.Q(("state", "WAITING"), _negated=True),
                                ("decided_at__isnull", False),
                                models.Q(("reason", ""), _negated=True),
                                models.Q(("decided_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="draft_review_decided_with_reason",
                    ),
                ],
            },
        ),
    ]
