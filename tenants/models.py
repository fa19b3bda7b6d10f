"""Who is served. All of it lies in the schema `public`; nothing here is a citizen's."""

import secrets
import uuid

from django.db import models
from django.db.models import Q
from django_tenants.models import DomainMixin, TenantMixin

from tenants.break_glass import BreakGlass as BreakGlass
from tenants.declaration import Purpose
from tenants.encryption import decrypt, encrypt
from tenants.onboarding.declaration_change import DeclarationChange as DeclarationChange
from tenants.onboarding.models import (
    ApplicationLink,
    ApplicationVersion,
    Connection,
    ConnectionStep,
    Onboarding,
    RegisterEdition,
    SignedCopy,
    StageMove,
)
from tenants.stages import Stage

__all__ = [  # besides what is defined here: Django finds the models of an app in this module
    "ApplicationLink",
    "ApplicationVersion",
    "Connection",
    "ConnectionStep",
    "Onboarding",
    "RegisterEdition",
    "SignedCopy",
    "StageMove",
]


class Municipality(TenantMixin):  # type: ignore[misc]
    """One municipality (gemeente): one schema, one contract, one CBS code.

    Its id is the immutable tenant key: partitions, ledger and audit refer to it, never to the schema's name.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    cbs_code = models.CharField(max_length=6, unique=True)
    stage = models.CharField(max_length=40, choices=Stage.choices)
    created_at = models.DateTimeField()
    # Whether the BSP's people come in only after the municipality said yes: its own choice (accounts/breakglass.py).
    approves_entries = models.BooleanField(default=False, db_default=False)

    auto_create_schema = False  # tenants/provisioning.py makes row, schema and partition in one transaction
    auto_drop_schema = False

    class Meta:
        constraints = [
            models.CheckConstraint(name="municipality_stage_known", condition=Q(stage__in=Stage.values)),
            # The name is composed into SQL for partitions and claims: it must never need quoting.
            models.CheckConstraint(
                name="municipality_schema_safe", condition=Q(schema_name__regex=r"^[a-z][a-z0-9]{1,62}$")
            ),
            models.CheckConstraint(name="municipality_cbs_code_form", condition=Q(cbs_code__regex=r"^GM[0-9]{4}$")),
        ]

    def __str__(self) -> str:
        return self.name


class Domain(DomainMixin):  # type: ignore[misc]
    """A host on which a municipality's workspace is served."""


class DeclaredPurpose(models.Model):
    """One use of WhatsApp that a municipality declared."""

    municipality = models.ForeignKey(Municipality, on_delete=models.CASCADE, related_name="declared_purposes")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    declared_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="declared_purpose_once", fields=["municipality", "purpose"]),
            models.CheckConstraint(name="declared_purpose_known", condition=Q(purpose__in=Purpose.values)),
        ]

    def __str__(self) -> str:
        return self.purpose


class Number(models.Model):
    """A municipality's WhatsApp number.

    A number never changes tenant in one step: `closed_at` is set at A, the routing map's lifetime passes, then it is
    opened at B as a new row; so the phone_number_id is unique among open numbers only.
    """

    municipality = models.ForeignKey(Municipality, on_delete=models.PROTECT, related_name="numbers")
    phone_number_id = models.CharField(max_length=40)
    waba_id = models.CharField(max_length=40)
    display_phone_number = models.CharField(max_length=20)
    messages_per_second = models.PositiveSmallIntegerField(default=80)  # Meta's default throughput, in and out together
    access_token_encrypted = models.BinaryField(null=True)
    pseudonym_key_encrypted = models.BinaryField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="number_open_once", fields=["phone_number_id"], condition=Q(closed_at=None)),
            models.CheckConstraint(
                name="number_display_form", condition=Q(display_phone_number__regex=r"^\+[1-9][0-9]{6,14}$")
            ),
            models.CheckConstraint(
                name="number_phone_number_id_form", condition=Q(phone_number_id__regex=r"^[0-9]{5,40}$")
            ),
            models.CheckConstraint(name="number_waba_id_form", condition=Q(waba_id__regex=r"^[0-9]{5,40}$")),
            # A lane that may send nothing would wait for ever.
            models.CheckConstraint(name="number_messages_per_second", condition=Q(messages_per_second__gte=1)),
        ]
        # Account-level updates are routed by the WhatsApp Business Account.
        indexes = [models.Index(name="number_by_waba", fields=["waba_id"])]

    def __str__(self) -> str:
        return self.phone_number_id

    def access_token(self) -> str | None:
        """Return the token with which Meta lets us send from this number, or None."""
        if self.access_token_encrypted is None:
            return None
        return decrypt(encrypted=bytes(self.access_token_encrypted)).decode()

    def set_access_token(self, token: str) -> None:
        """Put the token in place, encrypted; the caller saves."""
        self.access_token_encrypted = encrypt(plain=token.encode())

    def pseudonym_key(self) -> bytes:
        """Return the 32 bytes with which contacts and wamids of this number are hashed for metering."""
        return decrypt(encrypted=bytes(self.pseudonym_key_encrypted))

    @staticmethod
    def new_pseudonym_key() -> bytes:
        """Return a new key, encrypted."""
        return encrypt(plain=secrets.token_bytes(32))


class NumberHealth(models.Model):
    """What Meta last said of a number, of its account and of the portfolio that both are in (tenants/health.py).

    Words are Meta's own; empty: never told. Updates come late and out of order, so each aspect keeps when it was told.
    """

    number = models.OneToOneField(Number, on_delete=models.CASCADE, related_name="health")
    quality = models.CharField(max_length=20, default="", blank=True)  # RED, UNKNOWN; GREEN and YELLOW when asked for
    verified_name = models.CharField(max_length=200, default="", blank=True)
    requested_name = models.CharField(max_length=200, default="", blank=True)
    name_decision = models.CharField(max_length=20, default="", blank=True)
    name_rejection = models.CharField(max_length=100, default="", blank=True)
    username = models.CharField(max_length=40, default="", blank=True)
    username_status = models.CharField(max_length=20, default="", blank=True)
    messaging_limit = models.CharField(max_length=30, default="", blank=True)  # TIER_2K …, of the portfolio
    throughput = models.CharField(max_length=20, default="", blank=True)  # HIGH: 1,000 a second
    most_numbers = models.PositiveIntegerField(null=True)  # of the portfolio
    account_state = models.CharField(max_length=30, default="", blank=True)  # DISABLE, SCHEDULE_FOR_DISABLE, REINSTATE
    account_review = models.CharField(max_length=20, default="", blank=True)
    connection = models.CharField(max_length=40, default="", blank=True)  # the event by which it came or went
    restrictions = models.JSONField(default=list)  # [{"type": Meta's word, "until": moment or null}]
    violation = models.CharField(max_length=100, default="", blank=True)
    alert = models.CharField(max_length=100, default="", blank=True)
    pin_event = models.CharField(max_length=30, default="", blank=True)
    standby_at = models.DateTimeField(null=True)  # when another application was last seen answering in our place
    told = models.JSONField(default=dict)  # {aspect: [moment, what was said]}, of the last update that counted
    updated_at = models.DateTimeField(null=True)  # Meta's moment of the latest of them
    asked_at = models.DateTimeField(null=True)  # when Meta was last asked (tenants/number_reading.py)
    asked_failure = models.CharField(max_length=20, default="", db_default="", blank=True)  # why it did not say

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="number_health_quality_known", condition=Q(quality__in=["", "GREEN", "YELLOW", "RED", "UNKNOWN"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.number_id} {self.quality}"

    def most_citizens(self) -> int | None:
        """Return how many citizens the portfolio may write to first in 24 hours; None: no limit, or not known."""
        word = self.messaging_limit.removeprefix("TIER_")
        thousands = word.endswith("K")
        digits = word.removesuffix("K")
        return int(digits) * (1000 if thousands else 1) if digits.isascii() and digits.isdigit() else None


class Trouble(models.Model):
    """Something that keeps a number from sending or receiving, or soon will (tenants/trouble.py).

    open -> closed; when it comes back, that is a new row. One of a kind is open at a time.
    """

    class Kind(models.TextChoices):
        TOKEN = "TOKEN", "Toegang ingetrokken"
        LOCKED = "LOCKED", "Account geblokkeerd"
        PAYMENT = "PAYMENT", "Betaling geweigerd"
        UNREGISTERED = "UNREGISTERED", "Nummer niet geregistreerd"
        RESTRICTED = "RESTRICTED", "Beperkt door Meta"
        QUALITY = "QUALITY", "Kwaliteit te laag"
        LIMIT = "LIMIT", "Berichtenlimiet bereikt"
        SILENT = "SILENT", "Onverwacht stil"
        STANDBY = "STANDBY", "Door een andere toepassing overgenomen"
        DISCONNECTED = "DISCONNECTED", "Losgekoppeld"
        UNREACHABLE = "UNREACHABLE", "Meta onbereikbaar"
        STALLED = "STALLED", "Berichten staan stil"
        PIN = "PIN", "Pincode aangevraagd of uitgezet"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.ForeignKey(Number, on_delete=models.CASCADE, related_name="troubles")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    detail = models.CharField(max_length=200, default="", blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)  # when the municipality's people were told
    over_mailed_at = models.DateTimeField(null=True)  # when they were told that it is over
    mail_claimed_at = models.DateTimeField(null=True)  # real time; set while somebody writes to them

    class Meta:
        constraints = [
            models.UniqueConstraint(name="trouble_open_once", fields=["number", "kind"], condition=Q(closed_at=None)),
            models.CheckConstraint(
                name="trouble_closed_after_opened",
                condition=Q(closed_at=None) | Q(closed_at__gte=models.F("opened_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class TenantKey(models.Model):
    """The key with which a municipality's media are encrypted, itself encrypted with FIELD_ENCRYPTION_KEYS.

    In public: neither the municipality's schema nor a backup of that opens its media. Destroying it destroys them.
    """

    municipality = models.OneToOneField(Municipality, on_delete=models.PROTECT, related_name="data_key")
    key_encrypted = models.BinaryField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.municipality_id)


class TenantScript(models.Model):
    """The SQL that makes a tenant's tables, for one set of migrations (tenants/script.py). Holds no tenant's data."""

    migrations_hash = models.CharField(max_length=64, primary_key=True)
    sql = models.TextField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.migrations_hash


class ElectionPeriod(models.Model):
    """Days before an election on which a municipality starts nothing but what a crisis asks for.

    set -> lifted before its time. Both days are in it. municipality empty: for all of them, set by the BSP.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    municipality = models.ForeignKey(Municipality, on_delete=models.CASCADE, null=True, related_name="election_periods")
    name = models.CharField(max_length=100)
    begins_date = models.DateField()
    ends_date = models.DateField()
    set_by = models.CharField(max_length=200)  # the name as then; the trail has more
    set_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="election_period_ends_after_begin", condition=Q(ends_date__gte=models.F("begins_date"))
            ),
            models.CheckConstraint(name="election_period_named", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
