"""A mail of another kind: that a change of the declaration was decided."""

from django.db import migrations, models

BEFORE = ["INVITATION", "SECOND_STEP_RESET"]


def _known(kinds: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(("what__in", kinds)), name="mail_what_known")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_user_language")]

    operations = [
        migrations.RemoveConstraint(model_name="mail", name="mail_what_known"),
        migrations.AddConstraint(model_name="mail", constraint=_known([*BEFORE, "DECLARATION_DECIDED"])),
        migrations.AlterField(
            model_name="mail",
            name="what",
            field=models.CharField(
                choices=[
                    ("INVITATION", "Invitation"),
                    ("SECOND_STEP_RESET", "Second Step Reset"),
                    ("DECLARATION_DECIDED", "Declaration Decided"),
                ],
                max_length=20,
            ),
        ),
    ]
