"""What citizens said about being written to first."""

from django.db import models
from django.db.models import F, Q

from messaging.models.messages import Message
from messaging.models.people import Contact


class Consent(models.Model):
    """One word about whether the municipality may write first to a contact. Append-only: a trigger refuses changes.

    Of all words about a contact, and about those merged into it, the one with the latest `at` stands:

        (none) -> OPT_IN <-> OPT_OUT        in the same second OPT_OUT stands
    """

    class Word(models.TextChoices):
        OPT_IN = "OPT_IN"
        OPT_OUT = "OPT_OUT"

    class Source(models.TextChoices):
        MESSAGE = "MESSAGE"  # the contact wrote it here: STOP, START
        WHATSAPP = "WHATSAPP"  # the contact set it in WhatsApp itself
        RECORDED = "RECORDED"  # told elsewhere, and recorded by a user or a system of the municipality

    id = models.BigAutoField(primary_key=True)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="consents")
    word = models.CharField(max_length=10, choices=Word.choices)
    source = models.CharField(max_length=10, choices=Source.choices)
    at = models.DateTimeField()  # when the contact said so
    recorded_at = models.DateTimeField()
    how = models.CharField(max_length=500, default="", blank=True)  # in which words, on which form
    evidence = models.CharField(max_length=200, default="", blank=True)  # where the proof lies, such as a case number
    wamid = models.CharField(max_length=200, unique=True, null=True)  # of the message that said so
    # What told the contact that it was understood; in the row's own transaction, so never twice.
    confirmation = models.OneToOneField(Message, on_delete=models.PROTECT, null=True, related_name="+")
    actor_schema = models.CharField(max_length=63)
    actor_id = models.CharField(max_length=40)
    actor_name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            # What WhatsApp tells may be told again.
            models.UniqueConstraint(
                name="consent_told_once", fields=["contact", "word", "source", "at"], condition=~Q(source="RECORDED")
            ),
            models.CheckConstraint(name="consent_word_known", condition=Q(word__in=["OPT_IN", "OPT_OUT"])),
            models.CheckConstraint(
                name="consent_source_known", condition=Q(source__in=["MESSAGE", "WHATSAPP", "RECORDED"])
            ),
            # Who says that somebody else agreed says where that can be seen.
            models.CheckConstraint(
                name="consent_recorded_says_how", condition=~Q(source="RECORDED", word="OPT_IN") | ~Q(how="")
            ),
            models.CheckConstraint(
                name="consent_message_has_wamid",
                condition=Q(source="MESSAGE", wamid__isnull=False) | ~Q(source="MESSAGE") & Q(wamid=None),
            ),
            # A mistyped year would silence all later words; a stamp of Meta's may run ahead of our clock.
            models.CheckConstraint(
                name="consent_recorded_afterwards", condition=~Q(source="RECORDED") | Q(at__lte=F("recorded_at"))
            ),
        ]
        # The latest word about a contact.
        indexes = [models.Index(name="consent_of_contact", fields=["contact", "at"])]

    def __str__(self) -> str:
        return self.word
