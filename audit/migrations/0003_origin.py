from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """From where each thing was done. Entries that are there keep their hash: they are of form 1, without an origin."""

    dependencies = [("audit", "0002_append_only")]

    operations = [
        migrations.AddField("entry", "origin", models.CharField(db_default="", max_length=100)),
        migrations.AddField("entry", "form", models.PositiveSmallIntegerField(db_default=1)),
        migrations.AddConstraint(
            "entry",
            models.CheckConstraint(
                name="audit_origin_told", condition=Q(form=1, origin="") | (Q(form=2) & ~Q(origin=""))
            ),
        ),
    ]
