"""One row of every model for each municipality and for the console, with values that stand nowhere else.

What is unmistakable is found by comparing (marks.py): a value counts when no other party has it. So a maker only has to
put the party's word into what it writes, and its digits into what must be a number.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from accounts.models import (
    ApiKey,
    GroupRole,
    Invitation,
    Mail,
    Membership,
    RoleGrant,
    SignedIn,
    SignInRules,
    SignOn,
    Team,
    TeamRule,
    User,
)
from accounts.sessions import digest
from api.models import IdempotencyRecord
from audit.models import Entry
from audit.record import Actor, record
from billing.models import (
    Adjustment,
    BillingProfile,
    Collection,
    ContactLink,
    Conversation,
    Correction,
    Fact,
    FactReport,
    Invoice,
    InvoiceCounter,
    InvoiceDocument,
    InvoiceLine,
    InvoiceMail,
    LateContact,
    MessageCount,
    MetaRate,
    MetaRateSheet,
    Month,
    Payment,
    Rate,
    RateCard,
    StripeCustomer,
    StripeEvent,
)
from messaging.core.models import DraftReview, InboxFigures, Lane, NumberHour, OutboxWake, Replay, UnknownUpdate
from messaging.media import blobs
from messaging.media.thumbnails import Thumbnail
from messaging.models import (
    Alteration,
    Blob,
    CannedReply,
    ClosedAnswer,
    Consent,
    Contact,
    FirstWrite,
    IdChange,
    InboxEvent,
    Label,
    LooseStatus,
    Medium,
    Mention,
    Message,
    MessageStatus,
    MetaUpload,
    Office,
    OpenPeriod,
    OutboxItem,
    PrivacyNotice,
    ReadReceipt,
    ReplyDraft,
    Sighting,
    SpecialDay,
    Template,
    TemplateAlert,
    TemplateEdit,
    TemplateSync,
    TemplateVersion,
    Thread,
    ThreadLabel,
    ThreadNote,
    Told,
    UncertainChoice,
    WindowOpening,
)
from tenants.encryption import encrypt
from tenants.models import (
    ApplicationLink,
    ApplicationVersion,
    BreakGlass,
    Connection,
    ConnectionStep,
    DeclarationChange,
    DeclaredPurpose,
    Domain,
    ElectionPeriod,
    Municipality,
    Number,
    NumberHealth,
    Onboarding,
    RegisterEdition,
    SignedCopy,
    StageMove,
    TenantKey,
    TenantScript,
    Trouble,
)
from tenants.onboarding.models import Deed
from tests.conftest import FROZEN_AT

AT = FROZEN_AT - timedelta(minutes=10)
MONTH = date(2026, 3, 1)


@dataclass(repr=False)
class Party:
    """The console or a municipality: its rows, and what its people and systems sign in with."""

    schema: str
    word: str  # stands in every text of its rows
    digits: str  # stands in every number
    municipality: Municipality | None = None
    rows: dict[type[models.Model], Any] = field(default_factory=dict)
    more: list[models.Model] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)  # by role: the cookie; "*" has all roles
    keys: dict[str, str] = field(default_factory=dict)  # by scope: the secret; "*" has all scopes
    passwords: dict[str, str] = field(default_factory=dict)  # by e-mail address

    @property
    def host(self) -> str:
        """The host on which it is served."""
        return f"{'console' if self.schema == 'public' else self.schema}.localhost"

    @cached_property
    def number(self) -> Number:
        """The municipality's number."""
        return Number.objects.get(municipality=self.municipality)

    def text(self, what: str) -> str:
        """Return a text that is this party's alone."""
        return f"merk-{self.word}-{what}"

    def hash(self, what: str) -> bytes:
        """Return 32 bytes that are this party's alone."""
        return self.text(what).encode().ljust(32, b".")[:32]


def _contact(party: Party) -> Contact:
    return Contact.objects.create(
        wa_id=f"3169{party.digits}001",
        bsuid=f"NL.Merk{party.word}Bsuid",
        profile_name=party.text("profile"),
        username=party.text("username"),
        created_at=AT,
    )


def _thread(party: Party) -> Thread:
    return Thread.objects.create(
        contact=party.rows[Contact],
        phone_number_id=party.number.phone_number_id,
        opened_at=AT,
        last_inbound_at=AT,
        last_message_at=AT,
        waiting_since=AT,
    )


def _message(party: Party) -> Message:
    return Message.objects.create(
        thread=party.rows[Thread],
        medium=party.rows[Medium],
        direction="INBOUND",
        state="RECEIVED",
        kind="text",
        text=party.text("said"),
        content={"body": party.text("content")},
        wamid=f"wamid.{party.text('in')}",
        stamped_at=AT,
        created_at=AT,
    )


def _medium(party: Party) -> Medium:
    return Medium.objects.create(
        kind="document",
        state="STORED",
        filename=party.text("filename"),
        created_at=AT,
        phone_number_id=party.number.phone_number_id,
        meta_id=f"88{party.digits}001",
        meta_url=f"https://{party.text('media')}.example/1",
        content_type="application/pdf",
        size_bytes=1,
        sha256=party.hash("medium"),
        stored_at=AT,
    )


def _blob(party: Party) -> Blob:
    medium = party.rows[Medium]
    sealed = BytesIO()
    sealer = blobs.sealing(medium_id=medium.id, part=Blob.Part.ORIGINAL).sealer(sealed)
    sealer.write(party.text("file").encode())
    sealer.finish()
    blob = blobs.write(sealed=sealed, part=Blob.Part.ORIGINAL)
    small = Thumbnail(content=party.text("small").encode(), width=1, height=1, moves=False)
    blobs.keep(blobs=[blob, blobs.write_thumbnail(medium=medium, thumbnail=small)], medium=medium)
    return blob


def _upload(party: Party) -> MetaUpload:
    return MetaUpload.objects.create(
        medium=party.rows[Medium],
        phone_number_id=party.number.phone_number_id,
        meta_id=f"99{party.digits}001",
        uploaded_at=AT,
    )


def _status(party: Party) -> MessageStatus:
    return MessageStatus.objects.create(
        message=party.rows[Message], status="read", participant=f"3169{party.digits}002", stamped_at=AT
    )


def _outbox_item(party: Party) -> OutboxItem:
    answer = Message.objects.create(
        thread=party.rows[Thread],
        direction="OUTBOUND",
        state="QUEUED",
        kind="text",
        text=party.text("answered"),
        stamped_at=AT + timedelta(seconds=1),
        created_at=AT,
    )
    party.more.append(answer)
    return OutboxItem.objects.create(
        message=answer,
        phone_number_id=party.number.phone_number_id,
        contact=party.rows[Contact],
        priority=0,
        request={"text": {"body": party.text("request")}},
        due_at=AT,
    )


def _choice(party: Party) -> UncertainChoice:
    def uncertain(word: str) -> Message:
        return Message.objects.create(
            thread=party.rows[Thread],
            direction="OUTBOUND",
            state="UNCERTAIN",
            kind="text",
            text=party.text(word),
            content={"body": party.text(word), "preview_url": False},
            stamped_at=AT - timedelta(seconds=2),
            created_at=AT,
        )

    undecided = uncertain("undecided")
    party.more.append(undecided)
    return UncertainChoice.objects.create(
        message=uncertain("decided"),
        choice="LEAVE",
        chosen_at=AT,
        chosen_by_id=party.text("chooser id"),
        chosen_by_name=party.text("chooser"),
    )


def undecided(party: Party) -> Any:
    """Return the id of the party's message about which somebody must decide."""
    return next(row.pk for row in party.more if isinstance(row, Message) and row.state == "UNCERTAIN")


def _template(party: Party) -> Template:
    return Template.objects.create(
        waba_id=party.number.waba_id,
        meta_id=f"77{party.digits}001",
        name=f"merk_{party.word}_template",
        language="nl",
        category="UTILITY",
        status="APPROVED",
        purpose="SERVICES",
        body=f"{party.text('body')} {{{{naam}}}}",
        parameters=[{"name": "naam", "example": party.text("example")}],
    )


def _version(party: Party) -> TemplateVersion:
    return TemplateVersion.objects.create(
        template=party.rows[Template],
        number=90,
        at=AT,
        source="LOOK",
        changed=["components"],
        status="APPROVED",
        category="UTILITY",
        reason=party.text("reason"),
        components=[{"type": "BODY", "text": party.text("version")}],
        parameter_format="NAMED",
    )


def _sync(party: Party) -> TemplateSync:
    values = {"outcome": "OK", "unreadable": [{"why": party.text("why"), "raw": party.text("raw")}]}
    return TemplateSync.objects.update_or_create(waba_id=party.number.waba_id, defaults=values)[0]


def _consent(party: Party) -> Consent:
    return Consent.objects.create(
        contact=party.rows[Contact],
        word="OPT_IN",
        source="RECORDED",
        at=AT,
        recorded_at=AT,
        how=party.text("how"),
        evidence=party.text("evidence"),
        actor_schema=party.schema,
        actor_id=party.text("consent"),
        actor_name=party.text("recorder"),
    )


def _inbox_event(party: Party) -> InboxEvent:
    assert party.municipality is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.inbox (municipality_id, dedup_key, kind, field, phone_number_id, payload, received_at,"
            " state, reason, applied_at) VALUES (%s, %s, 'message', 'messages', %s, %s, %s, 'DEAD', %s, %s)",
            [
                party.municipality.id,
                party.hash("event"),
                party.number.phone_number_id,
                json.dumps({"element": {"text": {"body": party.text("payload")}}}),
                AT,
                party.text("reason"),
                AT,
            ],
        )
    return InboxEvent.objects.get(reason=party.text("reason"))


def _email(party: Party) -> EmailAddress:
    user = party.rows[User]
    return EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def _second_step(party: Party) -> Authenticator:
    """Give who has all roles one of each: a passkey, which is returned, an app and recovery codes."""
    user = party.rows[User]
    key = AttestedCredentialData.create(
        b"\0" * 16, party.hash("passkey"), ES256.from_ctap1(b"\x04" + party.hash("x") + party.hash("y"))
    )
    signed = AuthenticatorData.create(party.hash("host"), AuthenticatorData.FLAG.AT | AuthenticatorData.FLAG.UP, 0, key)
    client = CollectedClientData.create(
        type="webauthn.create", challenge=party.hash("challenge"), origin=f"http://{party.host}"
    )
    credential = {
        "id": websafe_encode(party.hash("passkey")),
        "rawId": websafe_encode(party.hash("passkey")),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(bytes(client)),
            "attestationObject": websafe_encode(bytes(AttestationObject.create("none", signed, {}))),
        },
        "clientExtensionResults": {},
    }
    app = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)  # with which who has all roles signed in
    party.more += [app, RecoveryCodes.activate(user).instance]
    data = {"name": party.text("passkey"), "credential": credential}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)


def _invitation(party: Party) -> Invitation:
    """Invite somebody who has not come yet. Of real time, as invitations are."""
    user = User.objects.create_user(email=f"genodigd@{party.text('user')}.example", name=party.text("invited"), at=AT)
    RoleGrant.objects.create(user=user, role="BSP_SUPPORT" if party.schema == "public" else "AGENT", granted_at=AT)
    now = timezone.now()
    return Invitation.objects.create(
        user=user, invited_by_name=party.text("inviting"), invited_at=now, expires_at=now + timedelta(days=7)
    )


def _trail(party: Party) -> Entry:
    actor = Actor(schema=party.schema, id=party.text("actor"), name=party.text("name"))
    details = {"key": party.text("details")}
    return record(action=party.text("action"), actor=actor, at=AT, subject=party.text("subject"), details=details)


def _idempotency(party: Party) -> IdempotencyRecord:
    return IdempotencyRecord.objects.create(
        api_key=party.rows[ApiKey],
        idempotency_key=party.text("key"),
        request_hash=party.hash("request"),
        status=201,
        answer=json.dumps({"id": party.text("answer")}),
        created_at=FROZEN_AT,
    )


# --- In each schema, the console's too. Users, keys and sessions are made by signing in (world.py).
EVERYWHERE: dict[type[models.Model], Callable[[Party], Any]] = {
    User: lambda party: User.objects.get(name=party.text("user")),
    RoleGrant: lambda party: party.rows[User].role_grants.first(),
    Team: lambda party: Team.objects.create(name=party.text("team")),
    Membership: lambda party: Membership.objects.create(user=party.rows[User], team=party.rows[Team]),
    TeamRule: lambda party: TeamRule.objects.create(only_own=True),
    Session: lambda party: Session.objects.get(session_key=digest(party.sessions["*"])),
    SignedIn: lambda party: SignedIn.objects.get(session_id=digest(party.sessions["*"])),
    Authenticator: _second_step,
    ApiKey: lambda party: ApiKey.objects.get(name=party.text("system")),
    IdempotencyRecord: _idempotency,
    EmailAddress: _email,
    EmailConfirmation: lambda party: EmailConfirmation.objects.create(
        email_address=party.rows[EmailAddress], key=party.text("confirmation")
    ),
    Invitation: _invitation,
    Mail: lambda party: Mail.objects.create(
        user=party.rows[Invitation].user, what="INVITATION", language="nl", queued_at=AT, due_at=AT
    ),
    Group: lambda party: Group.objects.create(name=party.text("group")),
    SignOn: lambda party: SignOn.objects.create(
        issuer=f"https://{party.text('issuer')}.example",
        client_id=party.text("client"),
        client_secret=party.text("sealed"),
        groups_claim=party.text("claim"),
        local_admin=party.rows[User],
        changed_at=AT,
    ),
    GroupRole: lambda party: GroupRole.objects.create(group=party.text("provider's group"), role="AGENT"),
    SocialApp: lambda party: SocialApp.objects.create(provider=party.text("provider"), client_id=party.text("client")),
    SocialAccount: lambda party: SocialAccount.objects.create(
        user=party.rows[User], provider=party.rows[SignOn].issuer, uid=party.text("subject")
    ),
    SocialToken: lambda party: SocialToken.objects.create(
        app=party.rows[SocialApp], account=party.rows[SocialAccount], token=party.text("token")
    ),
    Entry: _trail,
}
# --- In each municipality's schema
IN_A_MUNICIPALITY: dict[type[models.Model], Callable[[Party], Any]] = {
    Contact: _contact,
    Thread: _thread,
    Medium: _medium,
    Blob: _blob,
    MetaUpload: _upload,
    Message: _message,
    MessageStatus: _status,
    Office: lambda party: Office.objects.get(),
    OpenPeriod: lambda party: OpenPeriod.objects.first(),
    SpecialDay: lambda party: SpecialDay.objects.create(date=date(2027, 2, 1), name=party.text("day off")),
    PrivacyNotice: lambda party: PrivacyNotice.objects.create(
        url=f"https://{party.text('privacy')}.example/",
        form_of_address="FORMAL",
        own_text=party.text("notice"),
        saved_at=FROZEN_AT,
    ),
    ReadReceipt: lambda party: ReadReceipt.objects.create(
        thread=party.rows[Thread],
        phone_number_id=party.number.phone_number_id,
        wamid=f"wamid.{party.text('receipt')}",
        requested_at=FROZEN_AT,
    ),
    OutboxItem: _outbox_item,
    UncertainChoice: _choice,
    FirstWrite: lambda party: FirstWrite.objects.create(
        message=party.rows[OutboxItem].message, contact=party.rows[Contact], written_at=AT
    ),
    Template: _template,
    TemplateVersion: _version,
    TemplateAlert: lambda party: TemplateAlert.objects.create(
        template=party.rows[Template], kind="LOW_QUALITY", raised_at=AT
    ),
    TemplateEdit: lambda party: TemplateEdit.objects.create(
        template=party.rows[Template],
        components=[{"type": "BODY", "text": party.text("other words")}],
        saved_at=AT,
        saved_by=party.text("who wrote them"),
    ),
    TemplateSync: _sync,
    Consent: _consent,
    Sighting: lambda party: Sighting.objects.create(
        wa_id=party.text("seen"), bsuid=party.text("seen id"), seen_at=AT, profile_name=party.text("seen name")
    ),
    IdChange: lambda party: IdChange.objects.create(
        ids=[party.text("old"), party.text("new")],
        old_wa_id=party.text("old"),
        new_wa_id=party.text("new"),
        changed_at=AT,
        text=party.text("changed"),
    ),
    Alteration: lambda party: Alteration.objects.create(
        wamid=f"wamid.{party.text('alteration')}",
        target_wamid=f"wamid.{party.text('altered')}",
        kind="EDIT",
        by_contact=True,
        contact=party.rows[Contact],
        text=party.text("edited"),
        content={"body": party.text("edit")},
        stamped_at=AT,
    ),
    LooseStatus: lambda party: LooseStatus.objects.create(
        wamid=f"wamid.{party.text('loose')}", status="sent", stamped_at=AT
    ),
    WindowOpening: lambda party: WindowOpening.objects.create(
        contact=party.rows[Contact], phone_number_id=party.number.phone_number_id, opened_at=AT
    ),
    ThreadNote: lambda party: ThreadNote.objects.create(
        thread=party.rows[Thread], kind="NOTE", text=party.text("note"), author_id=party.rows[User].id, at=AT
    ),
    ClosedAnswer: lambda party: ClosedAnswer.objects.create(own_text=party.text("closed"), saved_at=AT),
    Told: lambda party: Told.objects.create(
        contact=party.rows[Contact], what="CLOSED", told_at=AT, until=AT + timedelta(hours=1)
    ),
    Label: lambda party: Label.objects.create(name=party.text("label")[:30]),
    ThreadLabel: lambda party: ThreadLabel.objects.create(thread=party.rows[Thread], label=party.rows[Label]),
    CannedReply: lambda party: CannedReply.objects.create(
        shortcut=f"merk-{party.word}".lower(), title=party.text("title"), text=party.text("canned")
    ),
    ReplyDraft: lambda party: ReplyDraft.objects.create(
        thread=party.rows[Thread], user_id=party.rows[User].id, text=party.text("draft"), saved_at=AT
    ),
    Mention: lambda party: Mention.objects.create(note=party.rows[ThreadNote], user_id=party.rows[User].id),
    InboxEvent: _inbox_event,
}


def _of_number(party: Party) -> dict[str, Any]:
    return {"phone_number_id": party.number.phone_number_id}


def _of_municipality(party: Party) -> dict[str, Any]:
    assert party.municipality is not None
    return {"municipality_id": party.municipality.id}


def _report(party: Party) -> FactReport:
    return FactReport.objects.create(
        **_of_number(party),
        wamid_hash=party.hash("wamid"),
        status="DELIVERED",
        stamped_at=AT,
        purpose=party.text("purpose"),
        template_name=party.text("template"),
        recorded_at=AT,
        digest=party.hash("digest"),
    )


def _conversation(party: Party) -> Conversation:
    return Conversation.objects.create(
        **_of_number(party),
        **_of_municipality(party),
        contact_hash=party.hash("contact"),
        category=f"MERK_{party.word.upper()}",
        opened_at=AT,
        ends_at=AT + timedelta(hours=24),
        opened_date=AT.date(),
        month=MONTH,
        purpose=party.text("purpose"),
        template=party.text("template"),
    )


def _invoice(party: Party) -> Invoice:
    return Invoice.objects.create(
        **_of_municipality(party),
        period=MONTH,
        vat_rate=Decimal("0.21"),
        net_cents=int(party.digits),
        vat_cents=0,
        total_cents=int(party.digits),
        lines_hash=party.text("lines"),
        drafted_at=AT,
    )


def _documents(party: Party) -> InvoiceDocument:
    """Return the e-invoice; both are kept, so that none is made. They say what the copy of the buyer says."""
    content = party.text("bought by").encode()
    said = {"invoice": party.rows[Invoice], "content": content, "sha256": sha256(content).hexdigest(), "made_at": AT}
    InvoiceDocument.objects.create(kind="PDF", **said)
    return InvoiceDocument.objects.create(kind="UBL", **said)


def _booked(party: Party) -> dict[str, Any]:
    return {
        "recorded_at": AT,
        "recorded_by_schema": "public",
        "recorded_by_id": party.text("booker"),
        "recorded_by_name": party.text("booker's name"),
    }


def _line(party: Party) -> InvoiceLine:
    card, _ = RateCard.objects.get_or_create(
        valid_from=date(2026, 1, 1), name="Tarief", vat_rate=Decimal("0.21"), platform_fee=0
    )
    line = InvoiceLine.objects.create(
        invoice=party.rows[Invoice],
        position=1,
        kind="CONVERSATIONS",
        month=MONTH,
        card=card,
        category=f"MERK_{party.word.upper()}",
        description=party.text("line"),
        quantity=1,
        unit_price=Decimal("0.01"),
        net_cents=1,
    )
    _finalise(party)
    return line


def _adjustment(party: Party) -> Adjustment:
    """Return one that was taken back, so that nobody can any more."""
    said = {**_of_municipality(party), "run": MONTH, "month": MONTH, "description": party.text("adjustment")}
    first = Adjustment.objects.create(**said, reason=party.text("why"), net_cents=1, **_booked(party))
    Adjustment.objects.create(**said, reason=party.text("why back"), net_cents=-1, reverses=first, **_booked(party))
    return first


def _finalise(party: Party) -> None:
    """Have the invoice be final: what a municipality sees of its own."""
    invoice = Invoice.objects.filter(id=party.rows[Invoice].id)
    invoice.update(status="REVIEW")
    invoice.update(
        status="APPROVED",
        approved_by_schema="public",
        approved_by_id=party.text("approver"),
        approved_by_name=party.text("approver's name"),
        approved_at=AT,
    )
    invoice.update(
        status="FINALISED",
        number=party.text("number"),
        series="F",
        year=2026,
        sequence=int(party.digits),
        issue_date=MONTH,
        due_date=MONTH,
        seller={},
        buyer={"order_reference": party.text("bought by")},
        finalised_at=AT,
        previous_hash=party.hash("before").hex(),
        document_hash=party.hash("document").hex(),
    )
    party.rows[Invoice].refresh_from_db()


def _deed(party: Party) -> dict[str, Any]:
    return Deed.of(actor=Actor(schema="public", id=party.text("doer")[:40], name=party.text("doer")), at=AT)


# --- In `public`, and a municipality's
OF_A_MUNICIPALITY: dict[type[models.Model], Callable[[Party], Any]] = {
    Municipality: lambda party: party.municipality,
    Domain: lambda party: Domain.objects.get(tenant=party.municipality),
    DeclaredPurpose: lambda party: DeclaredPurpose.objects.filter(municipality=party.municipality).first(),
    Number: lambda party: party.number,
    Lane: lambda party: Lane.objects.get(municipality_id=party.municipality.id),
    NumberHealth: lambda party: NumberHealth.objects.update_or_create(
        number=party.number, defaults={"verified_name": party.text("verified"), "told": {"x": party.text("told")}}
    )[0],
    TenantKey: lambda party: TenantKey.objects.get_or_create(
        municipality=party.municipality, defaults={"key_encrypted": party.hash("data key"), "made_at": AT}
    )[0],
    BreakGlass: lambda party: BreakGlass.objects.create(
        municipality=party.municipality,
        employee_id=uuid.uuid4(),
        employee_name=party.text("employee"),
        roles=["ADMIN"],
        reason=party.text("reason of entry"),
        minutes=30,
        state="REQUESTED",
        requested_at=timezone.now(),
        lapses_at=timezone.now() + timedelta(hours=8),
    ),
    Trouble: lambda party: Trouble.objects.create(
        number=party.number, kind="QUALITY", detail=party.text("trouble"), opened_at=AT
    ),
    Onboarding: lambda party: party.municipality.onboarding,
    StageMove: lambda party: StageMove.objects.create(
        onboarding=party.municipality.onboarding,
        from_stage="LIVE",
        to_stage="SUSPENDED",
        reason=party.text("suspended because"),
        **_deed(party),
    ),
    ApplicationVersion: lambda party: ApplicationVersion.objects.create(
        onboarding=party.municipality.onboarding,
        part="ORGANISATION",
        version=1,
        values={"legal_entity": party.text("legal entity")},
        **_deed(party),
    ),
    ApplicationLink: lambda party: ApplicationLink.objects.create(
        onboarding=party.municipality.onboarding,
        digest=party.hash("link"),
        name=party.text("linked"),
        made_at=AT,
        made_by_id=party.text("maker")[:40],
        made_by_name=party.text("maker"),
        expires_at=AT + timedelta(days=3650),
    ),
    SignedCopy: lambda party: SignedCopy.objects.create(
        onboarding=party.municipality.onboarding,
        sha256=party.hash("copy"),
        application_sha256=party.hash("application"),
        size_bytes=1,
        content_encrypted=encrypt(plain=b"%PDF-"),
        **_deed(party),
    ),
    Connection: lambda party: Connection.objects.create(
        onboarding=party.municipality.onboarding, way="MANUAL", business_id=party.text("business")[:40]
    ),
    ConnectionStep: lambda party: ConnectionStep.objects.create(
        onboarding=party.municipality.onboarding, step="SUBSCRIBE", evidence={"said": party.text("evidence")}
    ),
    DeclarationChange: lambda party: DeclarationChange.objects.create(
        municipality=party.municipality,
        before=["PERMITS"],
        purposes={"PERMITS": party.text("what for")},
        terms_version="2021-01",
        signatory_name=party.text("signatory of a change"),
        signatory_function="Gemeentesecretaris",
        asked_at=AT,
        asked_by_schema=party.schema,
        asked_by_id=party.text("asker of a change")[:40],
        asked_by_name=party.text("who asked for a change"),
    ),
    DraftReview: lambda party: DraftReview.objects.create(
        **_of_municipality(party),
        template_id=party.rows[Template].id,
        wording_hash=party.text("wording"),
        name=party.text("draft"),
        language="nl",
        purpose="SERVICES",
        components=[{"type": "BODY", "text": party.text("flagged")}],
        findings=[["PROMOTION", party.text("finding")]],
        policy_date=MONTH,
        asked_at=AT,
        asked_by=party.text("who asked"),
    ),
    ElectionPeriod: lambda party: ElectionPeriod.objects.create(
        municipality=party.municipality,
        name=party.text("election"),
        begins_date=date(2020, 1, 1),
        ends_date=date(2020, 1, 2),
        set_by=party.text("who set it"),
        set_at=AT,
    ),
    Replay: lambda party: Replay.objects.create(
        **_of_municipality(party),
        asked_by_schema="public",
        asked_by_id=party.text("asker"),
        asked_by_name=party.text("asker's name"),
        asked_at=AT,
        total=1,
    ),
    NumberHour: lambda party: NumberHour.objects.create(**_of_number(party), **_of_municipality(party), hour=AT),
    UnknownUpdate: lambda party: UnknownUpdate.objects.create(
        **_of_municipality(party), field=party.text("unknown"), times=1, first_at=AT, last_at=AT
    ),
    InboxFigures: lambda party: InboxFigures.objects.update_or_create(
        **_of_municipality(party),
        defaults={
            "measured_at": AT,
            "open": 1,
            "dead": [
                {
                    "kind": "MESSAGE",
                    "field": "messages",
                    "reason": party.text("dead"),
                    "count": 1,
                    "oldest_at": AT.isoformat(),
                }
            ],
        },
    )[0],
    OutboxWake: lambda party: OutboxWake.objects.create(**_of_number(party)),
    Fact: lambda party: Fact.objects.create(
        **_of_number(party),
        **_of_municipality(party),
        wamid_hash=party.hash("wamid"),
        contact_hash=party.hash("contact"),
        first_stamped_at=AT,
        recorded_at=AT,
    ),
    FactReport: _report,
    ContactLink: lambda party: ContactLink.objects.create(
        **_of_number(party),
        **_of_municipality(party),
        from_contact_hash=party.hash("from"),
        to_contact_hash=party.hash("to"),
        recorded_at=AT,
    ),
    LateContact: lambda party: LateContact.objects.create(
        **_of_number(party), contact_hash=party.hash("late"), recorded_at=AT
    ),
    Conversation: _conversation,
    Correction: lambda party: Correction.objects.create(
        **_of_number(party),
        **_of_municipality(party),
        run=MONTH,
        month=date(2026, 2, 1),
        category=f"MERK_{party.word.upper()}",
        quantity=1,
        by_card={"2026-01-01": 1},
        recorded_at=AT,
    ),
    Invoice: _invoice,
    InvoiceLine: _line,
    BillingProfile: lambda party: BillingProfile.objects.create(
        **_of_municipality(party),
        valid_from=MONTH,
        legal_name=party.text("legal name"),
        order_reference=party.text("order"),
        **_booked(party),
    ),
    Payment: lambda party: Payment.objects.create(
        invoice=party.rows[Invoice],
        amount_cents=1,
        paid_date=MONTH,
        reference=party.text("statement"),
        **_booked(party),
    ),
    InvoiceDocument: _documents,
    InvoiceMail: lambda party: InvoiceMail.objects.create(
        invoice=party.rows[Invoice],
        address=f"{party.word}@facturen.example",
        state="FAILED",
        due_at=AT,
        **_booked(party),
    ),
    StripeCustomer: lambda party: StripeCustomer.objects.create(
        **_of_municipality(party), stripe_id=party.text("customer"), first_asked_at=AT
    ),
    Collection: lambda party: Collection.objects.create(
        invoice=party.rows[Invoice], step="DONE", stripe_id=party.text("collected"), due_at=AT
    ),
    Adjustment: _adjustment,
    MessageCount: lambda party: MessageCount.objects.create(
        **_of_municipality(party), month=MONTH, category=f"MERK_{party.word.upper()}", messages=1
    ),
}
# --- Nobody's: rows that are the same for all. With the reason.
NOBODYS: dict[type[models.Model], str] = {
    SignInRules: "one choice, in which nothing can be told apart",
    ContentType: "names of the code's models",
    Permission: "names of the code's own",
    RateCard: "the BSP's prices, the same for all",
    Rate: "the BSP's prices, the same for all",
    Month: "which months are closed, for all at once",
    RegisterEdition: "the government's list of municipalities",
    MetaRateSheet: "what Meta charges, the same for all",
    MetaRate: "what Meta charges, the same for all",
    StripeEvent: "that Stripe told of something: ids of Stripe's alone",
    InvoiceCounter: "the last number given, of the BSP's own series",
    TenantScript: "the tables that every tenant has",
}
# --- Without a value that is unmistakable; watched all the same. With the reason.
UNMARKED: dict[type[models.Model], str] = {
    TeamRule: "one yes or no",
    Office: "names of holidays",
    OpenPeriod: "times of a week",
}
