import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0004_documents_stand"),
    ]

    operations = [
        migrations.CreateModel(
            name="MetaRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("market", models.CharField(max_length=20)),
                ("category", models.CharField(max_length=40)),
                ("unit_price", models.DecimalField(decimal_places=6, max_digits=12)),
            ],
        ),
        migrations.CreateModel(
            name="MetaRateSheet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("valid_from", models.DateField(unique=True)),
                ("name", models.CharField(max_length=100)),
                ("source", models.CharField(max_length=500)),
                ("read_date", models.DateField()),
                ("is_example", models.BooleanField()),
                ("unit", models.CharField(choices=[("CONVERSATION", "24 uur"), ("MESSAGE", "Bericht")], max_length=12)),
                ("free_types", models.JSONField(default=list)),
                ("allowances", models.JSONField(default=dict)),
                ("default_market", models.CharField(max_length=20)),
            ],
        ),
        migrations.AddField(
            model_name="fact",
            name="market",
            field=models.CharField(db_default="", default="", max_length=20),
        ),
        migrations.AddIndex(
            model_name="fact",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["first_stamped_at"], name="fact_by_time"),
        ),
        migrations.AddConstraint(
            model_name="metaratesheet",
            constraint=models.CheckConstraint(
                condition=models.Q(("unit__in", ["CONVERSATION", "MESSAGE"])), name="meta_rate_sheet_unit"
            ),
        ),
        migrations.AddConstraint(
            model_name="metaratesheet",
            constraint=models.CheckConstraint(
                condition=models.Q(("source", ""), _negated=True), name="meta_rate_sheet_source"
            ),
        ),
        migrations.AddField(
            model_name="metarate",
            name="sheet",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="rates", to="billing.metaratesheet"
            ),
        ),
        migrations.AddConstraint(
            model_name="metarate",
            constraint=models.UniqueConstraint(fields=("sheet", "market", "category"), name="meta_rate_once"),
        ),
        migrations.AddConstraint(
            model_name="metarate",
            constraint=models.CheckConstraint(
                condition=models.Q(("unit_price__gte", 0)), name="meta_rate_not_negative"
            ),
        ),
    ]
