from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_signed_in")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="break_glass_id",
            field=models.UUIDField(editable=False, null=True, unique=True),
        ),
    ]
