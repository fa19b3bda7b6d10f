from django.db import migrations, models

# Rows that are there were complete without a cost centre, and invoices went out on them: who has none uses none, until
# finance says otherwise. The table refuses UPDATE, so the values are made where the column's type is set.
DECIDED = """
    ALTER TABLE billing_billingprofile
        ALTER COLUMN has_no_cost_centre DROP DEFAULT,
        ALTER COLUMN has_no_cost_centre TYPE boolean USING cost_centre = '',
        ALTER COLUMN has_no_cost_centre SET DEFAULT false
"""


class Migration(migrations.Migration):
    """A municipality has a cost centre, or somebody said that it uses none."""

    dependencies = [("billing", "0007_collection_by_stripe")]

    operations = [
        migrations.AddField(
            model_name="billingprofile",
            name="has_no_cost_centre",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunSQL(DECIDED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("cost_centre", ""), ("has_no_cost_centre", False), _connector="OR"),
                name="billing_profile_cost_centre",
            ),
        ),
    ]
