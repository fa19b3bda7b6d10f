from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0010_election_period"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="breakglass",
            name="break_glass_opened_whole",
        ),
        migrations.AlterField(
            model_name="breakglass",
            name="state",
            field=models.CharField(
                choices=[
                    ("REQUESTED", "Requested"),
                    ("APPROVED", "Approved"),
                    ("REFUSED", "Refused"),
                    ("WITHDRAWN", "Withdrawn"),
                    ("LAPSED", "Lapsed"),
                    ("OPEN", "Open"),
                    ("ENDED", "Ended"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
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
                        ("state__in", ["REQUESTED", "APPROVED", "REFUSED", "WITHDRAWN", "LAPSED"]),
                        ("user_id", None),
                    ),
                    _connector="OR",
                ),
                name="break_glass_opened_whole",
            ),
        ),
    ]
