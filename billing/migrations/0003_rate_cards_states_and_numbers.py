import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.comparison
import uuid
from django.db import migrations, models


# A used card may end where another begins, in a month that is not closed; all else of it stands.
USED_CARD = """
    CREATE OR REPLACE FUNCTION billing_guard_rate_card() RETURNS trigger LANGUAGE plpgsql
        SET search_path = public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM billing_invoiceline WHERE card_id = OLD.id) THEN
            IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'valid_until' IS DISTINCT FROM to_jsonb(OLD) - 'valid_until' THEN
                RAISE EXCEPTION 'this rate card was used' USING ERRCODE = 'restrict_violation';
            END IF;
            IF EXISTS (SELECT FROM billing_month
                    WHERE month >= date_trunc('month', least(NEW.valid_until, OLD.valid_until))) THEN
                RAISE EXCEPTION 'this rate card was used on those days' USING ERRCODE = 'restrict_violation';
            END IF;
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$;
"""

# Until now a card held until the next one's first day.
DAYS = """
    ALTER TABLE billing_ratecard DISABLE TRIGGER billing_rate_card_used;
    UPDATE billing_ratecard AS card SET valid_until =
        (SELECT min(valid_from) FROM billing_ratecard AS following WHERE following.valid_from > card.valid_from);
    ALTER TABLE billing_ratecard ENABLE TRIGGER billing_rate_card_used;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0002_append_only_and_frozen"),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("municipality_id", models.UUIDField()),
                ("run", models.DateField()),
                ("month", models.DateField()),
                ("description", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=500)),
                ("net_cents", models.BigIntegerField()),
                ("recorded_at", models.DateTimeField()),
                ("recorded_by_schema", models.CharField(max_length=63)),
                ("recorded_by_id", models.CharField(max_length=64)),
                ("recorded_by_name", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="BillingProfile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("municipality_id", models.UUIDField()),
                ("valid_from", models.DateField()),
                ("legal_name", models.CharField(max_length=200)),
                ("kvk", models.CharField(blank=True, max_length=8)),
                ("oin", models.CharField(blank=True, max_length=20)),
                ("vat_number", models.CharField(blank=True, max_length=20)),
                ("street", models.CharField(blank=True, max_length=200)),
                ("postcode", models.CharField(blank=True, max_length=10)),
                ("city", models.CharField(blank=True, max_length=100)),
                ("country", models.CharField(default="NL", max_length=2)),
                ("order_reference", models.CharField(blank=True, max_length=100)),
                ("cost_centre", models.CharField(blank=True, max_length=100)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("payment_days", models.PositiveSmallIntegerField(default=30)),
                ("recorded_at", models.DateTimeField()),
                ("recorded_by_schema", models.CharField(max_length=63)),
                ("recorded_by_id", models.CharField(max_length=64)),
                ("recorded_by_name", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="InvoiceCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("series", models.CharField(max_length=1)),
                ("year", models.PositiveSmallIntegerField()),
                ("last", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="MessageCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("municipality_id", models.UUIDField()),
                ("category", models.TextField()),
                ("messages", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_cents", models.BigIntegerField()),
                ("paid_date", models.DateField()),
                ("reference", models.CharField(max_length=100)),
                ("recorded_at", models.DateTimeField()),
                ("recorded_by_schema", models.CharField(max_length=63)),
                ("recorded_by_id", models.CharField(max_length=64)),
                ("recorded_by_name", models.CharField(max_length=200)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_once",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_status_known",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_number_only_when_final",
        ),
        migrations.RemoveConstraint(
            model_name="invoiceline",
            name="invoice_line_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="invoiceline",
            name="invoice_line_category",
        ),
        migrations.RemoveConstraint(
            model_name="rate",
            name="rate_once",
        ),
        migrations.AddField(
            model_name="correction",
            name="reason",
            field=models.CharField(
                db_default="Reported after its month was closed",
                default="Reported after its month was closed",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="recorded_by_name",
            field=models.CharField(db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="invoice",
            name="approved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="approved_by_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="invoice",
            name="approved_by_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="invoice",
            name="approved_by_schema",
            field=models.CharField(blank=True, db_default="", default="", max_length=63),
        ),
        migrations.AddField(
            model_name="invoice",
            name="buyer",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="credits",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credit_notes",
                to="billing.invoice",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="document_hash",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="invoice",
            name="due_date",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="finalised_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="issue_date",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="prepared_by_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="invoice",
            name="prepared_by_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="invoice",
            name="prepared_by_schema",
            field=models.CharField(blank=True, db_default="", default="", max_length=63),
        ),
        migrations.AddField(
            model_name="invoice",
            name="previous_hash",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="invoice",
            name="reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="invoice",
            name="seller",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="sequence",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="series",
            field=models.CharField(blank=True, db_default="", default="", max_length=1),
        ),
        migrations.AddField(
            model_name="invoice",
            name="vat",
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="invoice",
            name="year",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="credits",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credited_by",
                to="billing.invoiceline",
            ),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="skips",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="vat_rate",
            field=models.DecimalField(decimal_places=4, max_digits=5, null=True),
        ),
        migrations.AddField(
            model_name="month",
            name="last_link_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="month",
            name="last_report_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="rate",
            name="from_quantity",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="ratecard",
            name="discount",
            field=models.DecimalField(db_default=0, decimal_places=4, default=0, max_digits=5),
        ),
        migrations.AddField(
            model_name="ratecard",
            name="minimum",
            field=models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=12),
        ),
        migrations.AddField(
            model_name="ratecard",
            name="municipality_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="ratecard",
            name="onboarding_fee",
            field=models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=12),
        ),
        migrations.AddField(
            model_name="ratecard",
            name="terms",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="ratecard",
            name="valid_until",
            field=models.DateField(null=True),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="kind",
            field=models.CharField(
                choices=[("USAGE", "Verbruik"), ("CREDIT_NOTE", "Creditnota")], default="USAGE", max_length=20
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="status",
            field=models.CharField(
                choices=[
                    ("DRAFT", "Concept"),
                    ("REVIEW", "In controle"),
                    ("APPROVED", "Goedgekeurd"),
                    ("FINALISED", "Definitief"),
                    ("PAID", "Betaald"),
                    ("CREDITED", "Gecrediteerd"),
                ],
                default="DRAFT",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="kind",
            field=models.CharField(
                choices=[
                    ("CONVERSATIONS", "Conversaties"),
                    ("INCLUDED", "Inbegrepen"),
                    ("MESSAGES", "Berichten"),
                    ("CORRECTION", "Correctie"),
                    ("PLATFORM_FEE", "Platform"),
                    ("ONBOARDING_FEE", "Aansluiting"),
                    ("DISCOUNT", "Korting"),
                    ("MINIMUM", "Minimum"),
                    ("ADJUSTMENT", "Handmatige correctie"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="ratecard",
            name="valid_from",
            field=models.DateField(),
        ),
        migrations.RunSQL(USED_CARD, migrations.RunSQL.noop),
        migrations.RunSQL(DAYS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "USAGE")), fields=("municipality_id", "period", "kind"), name="invoice_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["DRAFT", "REVIEW", "APPROVED", "FINALISED", "PAID", "CREDITED"])),
                name="invoice_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["USAGE", "CREDIT_NOTE"])), name="invoice_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("number", None),
                    models.Q(("status__in", ["DRAFT", "REVIEW", "APPROVED"]), _negated=True),
                    _connector="OR",
                ),
                name="invoice_number_only_when_final",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["DRAFT", "REVIEW", "APPROVED"]),
                    models.Q(
                        ("buyer__isnull", False),
                        ("document_hash__regex", "^[0-9a-f]{64}$"),
                        ("finalised_at__isnull", False),
                        ("issue_date__isnull", False),
                        ("number__isnull", False),
                        ("previous_hash__regex", "^[0-9a-f]{64}$"),
                        ("seller__isnull", False),
                        ("sequence__isnull", False),
                        ("year__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="invoice_final_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(fields=("series", "year", "sequence"), name="invoice_sequence_once"),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("previous_hash", ""), _negated=True),
                fields=("series", "year", "previous_hash"),
                name="invoice_chain_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("series", ""),
                    models.Q(("kind", "USAGE"), ("series", "F")),
                    models.Q(("kind", "CREDIT_NOTE"), ("series", "C")),
                    _connector="OR",
                ),
                name="invoice_series_of_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("credits__isnull", False), ("kind", "CREDIT_NOTE"), models.Q(("reason", ""), _negated=True)
                    ),
                    models.Q(("credits", None), ("reason", ""), models.Q(("kind", "CREDIT_NOTE"), _negated=True)),
                    _connector="OR",
                ),
                name="invoice_credits",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by_id", ""),
                    models.Q(
                        ("approved_by_id", models.F("prepared_by_id")),
                        ("approved_by_schema", models.F("prepared_by_schema")),
                        _negated=True,
                    ),
                    _connector="OR",
                ),
                name="invoice_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["DRAFT", "REVIEW"]),
                    models.Q(
                        ("approved_at__isnull", False), models.Q(("approved_by_id__in", ["", "system"]), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="invoice_approved_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "CONVERSATIONS",
                            "INCLUDED",
                            "MESSAGES",
                            "CORRECTION",
                            "PLATFORM_FEE",
                            "ONBOARDING_FEE",
                            "DISCOUNT",
                            "MINIMUM",
                            "ADJUSTMENT",
                        ],
                    )
                ),
                name="invoice_line_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("category", ""),
                        ("kind__in", ["PLATFORM_FEE", "ONBOARDING_FEE", "DISCOUNT", "MINIMUM", "ADJUSTMENT"]),
                    ),
                    models.Q(
                        models.Q(
                            ("kind__in", ["PLATFORM_FEE", "ONBOARDING_FEE", "DISCOUNT", "MINIMUM", "ADJUSTMENT"]),
                            _negated=True,
                        ),
                        models.Q(("category", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="invoice_line_category",
            ),
        ),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.UniqueConstraint(fields=("card", "category", "from_quantity"), name="rate_once"),
        ),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.CheckConstraint(condition=models.Q(("from_quantity__gte", 1)), name="rate_from_one"),
        ),
        migrations.AddConstraint(
            model_name="ratecard",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    (
                        django.db.models.functions.comparison.Coalesce(
                            "municipality_id",
                            models.Value(uuid.UUID("00000000-0000-0000-0000-000000000000"), models.UUIDField()),
                        ),
                        "=",
                    ),
                    (
                        models.Func(
                            "valid_from",
                            "valid_until",
                            function="DATERANGE",
                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="rate_card_no_overlap",
            ),
        ),
        migrations.AddConstraint(
            model_name="ratecard",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_until", None), ("valid_until__gt", models.F("valid_from")), _connector="OR"),
                name="rate_card_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="ratecard",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("discount__gte", 0), ("discount__lt", 1), ("minimum__gte", 0), ("onboarding_fee__gte", 0)
                ),
                name="rate_card_terms",
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="corrects",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="adjustments", to="billing.invoice"
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="reverses",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversed_by",
                to="billing.adjustment",
            ),
        ),
        migrations.AddIndex(
            model_name="billingprofile",
            index=models.Index(fields=["municipality_id", "valid_from", "id"], name="billing_profile_of_day"),
        ),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("kvk", ""), ("kvk__regex", "^[0-9]{8}$"), _connector="OR"),
                name="billing_profile_kvk",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("oin", ""), ("oin__regex", "^0[0-9]{19}$"), _connector="OR"),
                name="billing_profile_oin",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("payment_days__gte", 1), ("payment_days__lte", 60)),
                name="billing_profile_payment_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicecounter",
            constraint=models.UniqueConstraint(fields=("series", "year"), name="invoice_counter_once"),
        ),
        migrations.AddConstraint(
            model_name="invoicecounter",
            constraint=models.CheckConstraint(condition=models.Q(("last__gte", 1)), name="invoice_counter_positive"),
        ),
        migrations.AddConstraint(
            model_name="invoicecounter",
            constraint=models.CheckConstraint(
                condition=models.Q(("series__in", ["F", "C"])), name="invoice_counter_series"
            ),
        ),
        migrations.AddConstraint(
            model_name="messagecount",
            constraint=models.UniqueConstraint(
                fields=("month", "municipality_id", "category"), name="message_count_once"
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="billing.invoice"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("net_cents", 0), _negated=True), name="adjustment_not_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason", ""), _negated=True), models.Q(("description", ""), _negated=True)
                ),
                name="adjustment_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__day", 1), ("month__lte", models.F("run")), ("run__day", 1)),
                name="adjustment_months",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("recorded_by_id__in", ["", "system"]), _negated=True), name="adjustment_by_a_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("invoice", "reference", "amount_cents", "paid_date"), name="payment_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_cents", 0), _negated=True), name="payment_not_zero"
            ),
        ),
    ]
