"""What Meta approved, or is asked to approve; how it became so; and the last look at each account's templates."""

import uuid

from django.db import models
from django.db.models import F, Q

from tenants.declaration import Purpose

# Of a template that came from Meta and to which nobody has given a purpose: it cannot be sent.
UNASSIGNED = "UNASSIGNED"


class Template(models.Model):
    """A message that Meta approved, or is asked to approve, in one language of one WhatsApp Business Account.

    DRAFT -> PENDING -> APPROVED <-> PAUSED -> DISABLED       paused for 3 hours, then 6, then for good
                 \\           \\---> ARCHIVED <-> APPROVED      not used for long
                  \\---> REJECTED -> IN_APPEAL -> APPROVED
    any -> PENDING_DELETION -> DELETED -> PENDING             the name may be used again after 30 days

    Only APPROVED is sent (messaging/templates/sending.py says what else it needs). FLAGGED, LOCKED and LIMIT_EXCEEDED
    are Meta's words too; UNKNOWN is one that we do not know, in `meta_status`.
    Each of status, category, coming category, quality and components follows the latest word of Meta's; `stamps` says
    when that was (messaging/templates/taking.py).
    """

    class Status(models.TextChoices):
        DRAFT = "DRAFT", "Concept"
        PENDING = "PENDING", "Ter beoordeling"
        APPROVED = "APPROVED", "Goedgekeurd"
        REJECTED = "REJECTED", "Afgewezen"
        PAUSED = "PAUSED", "Gepauzeerd"
        DISABLED = "DISABLED", "Uitgeschakeld"
        IN_APPEAL = "IN_APPEAL", "In beroep"
        FLAGGED = "FLAGGED", "Gemarkeerd"
        LIMIT_EXCEEDED = "LIMIT_EXCEEDED", "Te veel templates"
        LOCKED = "LOCKED", "Vergrendeld"
        ARCHIVED = "ARCHIVED", "Gearchiveerd"
        PENDING_DELETION = "PENDING_DELETION", "Wordt verwijderd"
        DELETED = "DELETED", "Verwijderd bij Meta"
        UNKNOWN = "UNKNOWN", "Onbekend"

    class Problem(models.TextChoices):
        """Why we do not know what the template says well enough to send it."""

        NOT_LISTED = "NOT_LISTED"  # Meta spoke of it, and its text was not read yet
        COMPONENTS_UNREADABLE = "COMPONENTS_UNREADABLE"
        TOO_LONG = "TOO_LONG"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    waba_id = models.CharField(max_length=40)
    meta_id = models.CharField(max_length=40, default="", blank=True)
    name = models.CharField(max_length=512)
    language = models.CharField(max_length=10)
    category = models.CharField(max_length=40)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    purpose = models.CharField(max_length=20, choices=[*Purpose.choices, (UNASSIGNED, "Zonder doel")])
    body = models.TextField()
    parameters = models.JSONField(default=list)  # [{"name": …, "example": …}] of the body, in order; or named "1", "2"
    components = models.JSONField(default=list)  # Meta's JSON, also where it is malformed
    listed_components = models.JSONField(default=list)  # as last read whole: webhooks tell the changed texts alone
    parameter_format = models.CharField(max_length=10, default="NAMED")  # NAMED or POSITIONAL
    meta_status = models.CharField(max_length=100, default="", blank=True)  # Meta's own word, where it is not ours
    reason = models.CharField(max_length=100, default="", blank=True)  # Meta's code: INVALID_FORMAT, SECOND_PAUSE …
    explanation = models.TextField(default="", blank=True)  # Meta's words beside it
    quality = models.CharField(max_length=20, default="", blank=True)  # GREEN, YELLOW, RED, UNKNOWN; Meta's
    coming_category = models.CharField(max_length=40, default="", blank=True)  # what Meta gave notice of
    coming_category_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=30, choices=Problem.choices, default="", blank=True)
    doubted_at = models.DateTimeField(null=True)  # Meta refused a message that fits what we know: a look is needed
    stamps = models.JSONField(default=dict)  # by aspect: [moment of the last webhook, moment of our last look]

    class Meta:
        constraints = [
            models.UniqueConstraint(name="template_once", fields=["waba_id", "name", "language"]),
            models.CheckConstraint(
                name="template_status_known",
                condition=Q(
                    status__in=[
                        *("DRAFT", "PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "FLAGGED"),
                        *("LIMIT_EXCEEDED", "LOCKED", "ARCHIVED", "PENDING_DELETION", "DELETED", "UNKNOWN"),
                    ]
                ),
            ),
            models.CheckConstraint(
                name="template_purpose_known", condition=Q(purpose__in=[*Purpose.values, "UNASSIGNED"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"


class TemplateVersion(models.Model):
    """How a template was from a moment on; one row for each change of its components, category or status.

    Append-only: the database refuses to change one. A message that was sent names the version it used.
    """

    class Source(models.TextChoices):
        OURS = "OURS"  # drafted or handed in here
        LOOK = "LOOK"  # read at Meta by a sync
        WEBHOOK = "WEBHOOK"  # told by Meta
        REFUSAL = "REFUSAL"  # Meta refused a message for it

    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()  # Meta's moment where Meta told it
    source = models.CharField(max_length=10, choices=Source.choices)
    changed = models.JSONField()  # ["status", "components", …]
    status = models.CharField(max_length=20)
    meta_status = models.CharField(max_length=100, default="", blank=True)
    reason = models.CharField(max_length=100, default="", blank=True)
    category = models.CharField(max_length=40)
    components = models.JSONField()
    parameter_format = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="template_version_once", fields=["template", "number"]),
            models.CheckConstraint(
                name="template_version_source_known", condition=Q(source__in=["OURS", "LOOK", "WEBHOOK", "REFUSAL"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} {self.number}"


class TemplateEdit(models.Model):
    """New words for a template that Meta has; they lie here until Meta is asked (messaging/templates/editing.py).

    One for each template: what Meta has goes on as it is, and a second edit replaces the first.
    """

    template = models.OneToOneField(Template, on_delete=models.CASCADE, related_name="edit")
    components = models.JSONField()
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=200)  # the name as then

    def __str__(self) -> str:
        return str(self.template_id)


class TemplateAlert(models.Model):
    """Something about a template that a municipal admin must see; it ends when it is no longer so."""

    class Kind(models.TextChoices):
        MARKETING = "MARKETING"  # Meta made it MARKETING: it is held
        CATEGORY_COMING = "CATEGORY_COMING"  # Meta gave notice of another category
        REJECTED = "REJECTED"
        PAUSED = "PAUSED"
        DISABLED = "DISABLED"
        DELETED = "DELETED"
        ARCHIVED = "ARCHIVED"
        UNKNOWN_STATUS = "UNKNOWN_STATUS"
        LOW_QUALITY = "LOW_QUALITY"
        UNREADABLE = "UNREADABLE"

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)  # when the admins were told (messaging/templates/mailing.py)
    mail_claimed_at = models.DateTimeField(null=True)  # real time; set while somebody writes to them

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="template_alert_open_once", fields=["template", "kind"], condition=Q(ended_at=None)
            ),
        ]
        # The page of templates lists what is open.
        indexes = [models.Index(F("raised_at"), name="template_alert_open", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return self.kind


class TemplateSync(models.Model):
    """Our looks at the templates of one account: the last one, what it found, and whether another one is wanted.

    Moments are of the domain's clock, but `leased_until`: leases run on real time.
    """

    class Outcome(models.TextChoices):
        NEVER = "NEVER"
        OK = "OK"
        WITH_PROBLEMS = "WITH_PROBLEMS"  # all was read, and some of it could not be taken in
        FAILED = "FAILED"

    waba_id = models.CharField(max_length=40, primary_key=True)
    requested_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)  # the last look that read all
    outcome = models.CharField(max_length=20, choices=Outcome.choices, default=Outcome.NEVER)
    failure = models.CharField(max_length=60, default="", blank=True)  # a code: token_missing, meta_190 …
    seen = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    problems = models.PositiveIntegerField(default=0)
    unreadable = models.JSONField(default=list)  # what Meta listed and no row can hold, as it came: [{"why", "raw"}]

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="template_sync_outcome_known",
                condition=Q(outcome__in=["NEVER", "OK", "WITH_PROBLEMS", "FAILED"]),
            ),
            models.CheckConstraint(
                name="template_sync_failed_has_reason", condition=~Q(outcome="FAILED") | ~Q(failure="")
            ),
        ]

    def __str__(self) -> str:
        return self.waba_id
