import django.db.models.deletion
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_what_meta_charges"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvoiceDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("UBL", "E-factuur (UBL)"), ("PDF", "PDF")], max_length=3)),
                ("content", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="documents", to="billing.invoice"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "kind"), name="invoice_document_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["UBL", "PDF"])), name="invoice_document_kind"
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.F("sha256"),
                            models.Func(
                                models.Func(models.F("content"), function="sha256", output_field=models.BinaryField()),
                                models.Value("hex"),
                                function="encode",
                                output_field=models.TextField(),
                            ),
                        ),
                        name="invoice_document_hash",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.EmailField(max_length=254)),
                (
                    "state",
                    models.CharField(
                        choices=[("QUEUED", "Queued"), ("SENDING", "Sending"), ("SENT", "Sent"), ("FAILED", "Failed")],
                        default="QUEUED",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("recorded_at", models.DateTimeField()),
                ("recorded_by_schema", models.CharField(max_length=63)),
                ("recorded_by_id", models.CharField(max_length=64)),
                ("recorded_by_name", models.CharField(max_length=200)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="mails", to="billing.invoice"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["QUEUED", "SENDING"])),
                        fields=["due_at"],
                        name="invoice_mail_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["QUEUED", "SENDING", "SENT", "FAILED"])),
                        name="invoice_mail_state",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["QUEUED", "SENDING"])),
                        fields=("invoice",),
                        name="invoice_mail_waits_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "SENT")),
                            models.Q(models.Q(("state", "SENT"), _negated=True), ("sent_at", None)),
                            _connector="OR",
                        ),
                        name="invoice_mail_sent_when",
                    ),
                ],
            },
        ),
        # As of payments (0004): what was made stands.
        migrations.RunSQL(
            "CREATE TRIGGER billing_invoicedocument_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
            " ON billing_invoicedocument FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_change()",
            migrations.RunSQL.noop,
        ),
    ]
