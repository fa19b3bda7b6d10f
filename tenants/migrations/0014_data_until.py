"""Until when a municipality that was ended can come to its data."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("tenants", "0013_declaration_change")]

    operations = [
        migrations.AddField(model_name="stagemove", name="data_until_date", field=models.DateField(null=True)),
        migrations.AddConstraint(
            model_name="stagemove",
            constraint=models.CheckConstraint(
                condition=Q(("data_until_date", None), ("to_stage", "OFFBOARDED"), _connector="OR"),
                name="stage_move_data_until_an_end",
            ),
        ),
    ]
