from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_onboarding_kept")]

    operations = [
        migrations.CreateModel(
            name="TenantScript",
            fields=[
                ("migrations_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("sql", models.TextField()),
                ("made_at", models.DateTimeField()),
            ],
        ),
    ]
