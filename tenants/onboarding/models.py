"""The rows of an onboarding. All in `public`: there is no tenant yet, and nothing here is a citizen's."""

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q

from audit.record import Actor
from tenants.encryption import decrypt, encrypt
from tenants.stages import WITHOUT_TENANT, Stage

COPY_BYTES = 10 * 1024 * 1024  # of a signed copy: a scan of some pages


class RegisterEdition(models.Model):
    """The register of municipalities as an operator took it from the government's file; the last one counts.

    Without one, that which the product ships counts (tenants/register.py).
    """

    version = models.CharField(max_length=100)
    sha256 = models.BinaryField(max_length=32)  # of the file
    entries = models.JSONField()  # [[CBS code, name, province, TOOI address]]
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="register_edition_named", condition=~Q(version=""))]

    def __str__(self) -> str:
        return self.version


class Onboarding(models.Model):
    """The road of one municipality; tenants/stages.py draws it. One for each CBS code, whatever became of it.

    Its stage is moved by tenants/onboarding/moves.py alone, which writes Municipality.stage with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cbs_code = models.CharField(max_length=6, unique=True)
    name = models.CharField(max_length=100)  # as the register had it on that day
    register_version = models.CharField(max_length=100, default="", blank=True)
    stage = models.CharField(max_length=40, choices=Stage.choices)
    stage_since = models.DateTimeField()
    # Made by an operator's command, who declared for it: without application and steps of ours.
    by_operator = models.BooleanField(default=False)
    municipality = models.OneToOneField(
        "tenants.Municipality", on_delete=models.PROTECT, null=True, related_name="onboarding"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="onboarding_stage_known", condition=Q(stage__in=Stage.values)),
            models.CheckConstraint(name="onboarding_cbs_code_form", condition=Q(cbs_code__regex=r"^GM[0-9]{4}$")),
            models.CheckConstraint(
                name="onboarding_tenant_once_connected",
                condition=Q(stage__in=WITHOUT_TENANT, municipality=None)
                | (~Q(stage__in=WITHOUT_TENANT) & Q(municipality__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cbs_code} {self.stage}"


class Deed(models.Model):
    """Who did a thing, and when: the actor as then, because a public row refers to nobody's user row."""

    at = models.DateTimeField()
    by_schema = models.CharField(max_length=63)
    by_id = models.CharField(max_length=40)
    by_name = models.CharField(max_length=200)

    class Meta:
        abstract = True

    @staticmethod
    def of(*, actor: Actor, at: Any) -> dict[str, Any]:
        """Return the fields of a deed."""
        return {"at": at, "by_schema": actor.schema, "by_id": actor.id, "by_name": actor.name[:200]}


class StageMove(Deed):
    """One move from a stage to the next. Never changed or deleted: a trigger refuses it."""

    onboarding = models.ForeignKey(Onboarding, on_delete=models.PROTECT, related_name="moves")
    from_stage = models.CharField(max_length=40, choices=Stage.choices, blank=True)  # empty: it began
    to_stage = models.CharField(max_length=40, choices=Stage.choices)
    reason = models.CharField(max_length=1000, default="", blank=True)
    # Of an end: the last day on which the municipality can come to its data.
    data_until_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="stage_move_data_until_an_end", condition=Q(data_until_date=None) | Q(to_stage=Stage.OFFBOARDED)
            ),
            models.CheckConstraint(
                name="stage_move_stages_known",
                condition=Q(to_stage__in=Stage.values) & Q(from_stage__in=["", *Stage.values]),
            ),
            models.CheckConstraint(name="stage_move_goes_on", condition=~Q(from_stage=F("to_stage"))),
            models.CheckConstraint(
                name="stage_move_says_why",
                condition=~Q(to_stage__in=[Stage.REJECTED, Stage.SUSPENDED, Stage.OFFBOARDED]) | ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_stage} -> {self.to_stage}"


class Part(models.TextChoices):
    """A part of the application: what one page asks."""

    ORGANISATION = "ORGANISATION", "Organisatie"
    CONTACTS = "CONTACTS", "Contact en nummer"
    PRIVACY = "PRIVACY", "Privacy"
    PURPOSES = "PURPOSES", "Doelen"
    PROHIBITIONS = "PROHIBITIONS", "Verboden gebruik"
    SIGNING = "SIGNING", "Ondertekening"


class ApplicationVersion(Deed):
    """A part of an application as somebody saved it; the one with the highest version counts.

    Never changed or deleted. Who saves names the version that they saw: of two who saw the same, one is refused.
    """

    onboarding = models.ForeignKey(Onboarding, on_delete=models.PROTECT, related_name="versions")
    part = models.CharField(max_length=20, choices=Part.choices)
    version = models.PositiveIntegerField()
    values = models.JSONField()  # {name of the field: text}, as tenants/onboarding/fields.py reads them

    class Meta:
        constraints = [
            models.UniqueConstraint(name="application_version_once", fields=["onboarding", "part", "version"]),
            models.CheckConstraint(name="application_version_part_known", condition=Q(part__in=Part.values)),
            models.CheckConstraint(name="application_version_from_one", condition=Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.part} {self.version}"


class ApplicationLink(models.Model):
    """A link with which somebody at the municipality fills in its part without an account; only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    onboarding = models.ForeignKey(Onboarding, on_delete=models.PROTECT, related_name="links")
    digest = models.BinaryField(max_length=32, unique=True)
    name = models.CharField(max_length=200)  # of whom it was given to
    made_at = models.DateTimeField()
    made_by_id = models.CharField(max_length=40)
    made_by_name = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="application_link_expires", condition=Q(expires_at__gt=F("made_at"))),
            models.CheckConstraint(name="application_link_named", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SignedCopy(Deed):
    """The application as it was signed, encrypted with FIELD_ENCRYPTION_KEYS; the last one counts.

    application_sha256: of what was filled in when it came. Changed since: it is to be signed again.
    """

    onboarding = models.ForeignKey(Onboarding, on_delete=models.PROTECT, related_name="signed_copies")
    sha256 = models.BinaryField(max_length=32)
    application_sha256 = models.BinaryField(max_length=32)
    size_bytes = models.PositiveIntegerField()
    content_encrypted = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="signed_copy_size", condition=Q(size_bytes__gte=1) & Q(size_bytes__lte=COPY_BYTES)
            )
        ]

    def __str__(self) -> str:
        return bytes(self.sha256).hex()


class Connection(models.Model):
    """What an onboarding has at Meta: account, number and what opens them. One for each, made with the first step."""

    class Way(models.TextChoices):
        EMBEDDED_SIGNUP = "EMBEDDED_SIGNUP", "Embedded Signup"
        MANUAL = "MANUAL", "Met de hand"

    onboarding = models.OneToOneField(Onboarding, on_delete=models.PROTECT, related_name="connection")
    way = models.CharField(max_length=20, choices=Way.choices, default="", blank=True)
    waba_id = models.CharField(max_length=40, default="", blank=True)
    phone_number_id = models.CharField(max_length=40, default="", blank=True)
    display_phone_number = models.CharField(max_length=20, default="", blank=True)
    business_id = models.CharField(max_length=40, default="", blank=True)
    # It lives in the Business app on a phone as well: it leaves that app before its storage can be chosen.
    in_business_app = models.BooleanField(default=False)
    access_token_encrypted = models.BinaryField(null=True)
    pin_encrypted = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="connection_way_known", condition=Q(way__in=["", "EMBEDDED_SIGNUP", "MANUAL"]))
        ]

    def __str__(self) -> str:
        return self.phone_number_id

    def access_token(self) -> str | None:
        """Return the municipality's own token, or None: the BSP's is used then."""
        return _opened(self.access_token_encrypted)

    def pin(self) -> str | None:
        """Return the six digits of the number's two-step verification, or None before they were chosen."""
        return _opened(self.pin_encrypted)


class ConnectionStep(models.Model):
    """One step at Meta, with what came of it (tenants/onboarding/connecting.py).

    WAITING -> RUNNING -> DONE | FAILED -> RUNNING …. RUNNING whose lease is over was killed: it is run again.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "Nog te doen"
        RUNNING = "RUNNING", "Bezig"
        DONE = "DONE", "Gelukt"
        FAILED = "FAILED", "Mislukt"

    onboarding = models.ForeignKey(Onboarding, on_delete=models.PROTECT, related_name="steps")
    step = models.CharField(max_length=30)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    claim = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)  # real time
    outcome = models.CharField(max_length=60, default="", blank=True)  # a code: ours, or Meta's
    evidence = models.JSONField(default=dict)  # what Meta answered, without tokens, PINs and codes
    changed_at = models.DateTimeField(null=True)
    by_name = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="connection_step_once", fields=["onboarding", "step"]),
            models.CheckConstraint(
                name="connection_step_state_known", condition=Q(state__in=["WAITING", "RUNNING", "DONE", "FAILED"])
            ),
            models.CheckConstraint(
                name="connection_step_runs_under_a_lease",
                condition=Q(state="RUNNING", claim__isnull=False, leased_until__isnull=False)
                | (~Q(state="RUNNING") & Q(claim=None, leased_until=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.state}"


def sealed(secret: str) -> bytes:
    """Return a secret as it is kept."""
    return encrypt(plain=secret.encode())


def _opened(encrypted: bytes | memoryview | None) -> str | None:
    return None if encrypted is None else decrypt(encrypted=bytes(encrypted)).decode()
