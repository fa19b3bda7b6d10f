"""The documents of an invoice, as they were sent, and the mails that carry them."""

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact

from billing.models.invoices import Invoice


class InvoiceDocument(models.Model):
    """One form of an issued invoice, byte by byte. Made once from the frozen rows; append-only."""

    class Kind(models.TextChoices):
        """Which form."""

        UBL = "UBL", "E-factuur (UBL)"
        PDF = "PDF", "PDF"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=3, choices=Kind.choices)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)  # hex, of the content
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            # It is made once, whoever makes it at the same time.
            models.UniqueConstraint(name="invoice_document_once", fields=["invoice", "kind"]),
            models.CheckConstraint(name="invoice_document_kind", condition=Q(kind__in=["UBL", "PDF"])),
            # What is kept is what was made.
            models.CheckConstraint(
                name="invoice_document_hash",
                condition=Exact(
                    F("sha256"),
                    Func(
                        Func(F("content"), function="sha256", output_field=models.BinaryField()),
                        Value("hex"),
                        function="encode",
                        output_field=models.TextField(),
                    ),
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class InvoiceMail(models.Model):
    """One mail of an invoice with its documents, to the buyer's address as the invoice copied it.

        QUEUED --> SENDING --> SENT
          ^           |------> FAILED    (given up after some attempts: a person has it sent again, as another row)
          '-----------'  not taken, tried again later; also when the lease of who sent it ended

    The first is written in the transaction that finalises the invoice. Moments of the queue are of real time.
    """

    class State(models.TextChoices):
        """Where it is."""

        QUEUED = "QUEUED"
        SENDING = "SENDING"
        SENT = "SENT"
        FAILED = "FAILED"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="mails")
    address = models.EmailField()
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()  # while SENDING: when its lease ends
    sent_at = models.DateTimeField(null=True)  # domain time, as all that stands beside the invoice
    recorded_at = models.DateTimeField()
    recorded_by_schema = models.CharField(max_length=63)
    recorded_by_id = models.CharField(max_length=64)
    recorded_by_name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="invoice_mail_state", condition=Q(state__in=["QUEUED", "SENDING", "SENT", "FAILED"])
            ),
            # Somebody who asks twice has one mail sent.
            models.UniqueConstraint(
                name="invoice_mail_waits_once", fields=["invoice"], condition=Q(state__in=["QUEUED", "SENDING"])
            ),
            models.CheckConstraint(
                name="invoice_mail_sent_when",
                condition=Q(state="SENT", sent_at__isnull=False) | (~Q(state="SENT") & Q(sent_at=None)),
            ),
        ]
        indexes = [
            # The sweep asks for what is due.
            models.Index(name="invoice_mail_due", fields=["due_at"], condition=Q(state__in=["QUEUED", "SENDING"])),
        ]

    def __str__(self) -> str:
        return f"mail {self.pk}"
