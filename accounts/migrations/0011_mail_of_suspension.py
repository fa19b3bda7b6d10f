"""A mail of another kind: that the BSP suspended sending, or resumed it."""

from django.db import migrations, models

BEFORE = ["INVITATION", "SECOND_STEP_RESET", "DECLARATION_DECIDED"]


def _known(kinds: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(("what__in", kinds)), name="mail_what_known")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_mail_of_decision")]

    operations = [
        migrations.RemoveConstraint(model_name="mail", name="mail_what_known"),
        migrations.AddConstraint(model_name="mail", constraint=_known([*BEFORE, "SUSPENSION"])),
        migrations.AlterField(
            model_name="mail",
            name="what",
            field=models.CharField(
                choices=[
                    ("INVITATION", "Invitation"),
                    ("SECOND_STEP_RESET", "Second Step Reset"),
                    ("DECLARATION_DECIDED", "Declaration Decided"),
                    ("SUSPENSION", "Suspension"),
                ],
                max_length=20,
            ),
        ),
    ]
