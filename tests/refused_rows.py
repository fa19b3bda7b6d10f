"""For each constraint a row that it refuses, beside one that it accepts (used by tests/test_architecture.py)."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.sessions.models import Session

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
from api.models import IdempotencyRecord
from audit.models import Entry
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
from messaging.core.models import DraftReview, NumberHour, Replay, UnknownUpdate
from messaging.models import (
    Alteration,
    Blob,
    CannedReply,
    ClosedAnswer,
    Consent,
    Contact,
    FirstWrite,
    IdChange,
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
    Trouble,
)

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY, MONTH = date(2026, 3, 2), date(2026, 3, 1)
HASH, OTHER_HASH = b"\x01" * 32, b"\x02" * 32
ID = uuid.UUID(int=7)
NUMBER = {"phone_number_id": "555000111222333"}


def saved(model: type, **values: Any) -> Any:
    """Return a row that others refer to, in the database."""
    return model.objects.create(**{**accepted(model), **values})


def accepted(model: type) -> dict[str, Any]:
    """Return the values of a row that no constraint refuses."""
    return BASES[model]()


def office() -> dict[str, Any]:
    Office.objects.all().delete()  # the one that a municipality begins with
    return {"holidays": [], "saved_at": AT}


def user() -> dict[str, Any]:
    return {"email": f"{uuid.uuid4().hex}@utrecht.example", "name": "A", "password": "!"}


def municipality() -> dict[str, Any]:
    return {
        "schema_name": "elders",
        "name": "Elders",
        "cbs_code": "GM9999",
        "stage": "LIVE",
        "created_at": AT,
    }


def onboarding() -> dict[str, Any]:
    return {"cbs_code": "GM9998", "name": "Elders", "stage": "APPLIED", "stage_since": AT, "created_at": AT}


def of_an_onboarding(**values: Any) -> dict[str, Any]:
    found, _ = Onboarding.objects.get_or_create(cbs_code="GM9998", defaults=onboarding())
    return {"onboarding": found, **values}


def deed() -> dict[str, Any]:
    return {"at": AT, "by_schema": "public", "by_id": "x", "by_name": "A"}


def application_link() -> dict[str, Any]:
    return of_an_onboarding(
        digest=uuid.uuid4().bytes * 2,
        name="A",
        made_at=AT,
        made_by_id="x",
        made_by_name="B",
        expires_at=AT + timedelta(days=1),
    )


def signed_copy() -> dict[str, Any]:
    content = {"sha256": HASH, "application_sha256": HASH, "size_bytes": 1, "content_encrypted": b"x"}
    return of_an_onboarding(**content, **deed())


def number() -> dict[str, Any]:
    return {
        "municipality": Municipality.objects.get(schema_name="utrecht"),
        "phone_number_id": "555000111222333",
        "waba_id": "666000111222333",
        "display_phone_number": "+31201234567",
        "pseudonym_key_encrypted": Number.new_pseudonym_key(),
        "opened_at": AT,
    }


def message() -> dict[str, Any]:
    return {
        "thread": saved(Thread),
        "direction": "OUTBOUND",
        "kind": "text",
        "state": "QUEUED",
        "stamped_at": AT,
        "created_at": AT,
    }


def medium() -> dict[str, Any]:
    return {
        "kind": "image",
        "state": "STORED",
        "created_at": AT,
        "content_type": "image/jpeg",
        "size_bytes": 1,
        "sha256": HASH,
        "stored_at": AT,
    }


def conversation() -> dict[str, Any]:
    return {
        **NUMBER,
        "contact_hash": HASH,
        "category": "SERVICE",
        "opened_at": AT,
        "ends_at": AT + timedelta(hours=24),
        "opened_date": DAY,
        "month": MONTH,
        "municipality_id": ID,
    }


def invoice() -> dict[str, Any]:
    return {
        "municipality_id": uuid.uuid4(),
        "period": MONTH,
        "vat_rate": Decimal("0.21"),
        "net_cents": 100,
        "vat_cents": 21,
        "total_cents": 121,
        "lines_hash": "0" * 64,
        "drafted_at": AT,
    }


def line() -> dict[str, Any]:
    return {
        "invoice": saved(Invoice),
        "position": 1,
        "kind": "CONVERSATIONS",
        "month": MONTH,
        "card": saved(RateCard),
        "category": "SERVICE",
        "description": "x",
        "quantity": 1,
        "unit_price": Decimal("0.01"),
        "net_cents": 1,
    }


OTHERS = ({"schema_name": f"ander{number}", "cbs_code": f"GM{number}"} for number in range(9100, 9200))
CARD_DAYS = (date(2031, 1, 1) + timedelta(days=number) for number in range(10_000))  # one card a day
YEARS = iter(range(2031, 9999))
BY = {
    "recorded_at": AT,
    "recorded_by_schema": "public",
    "recorded_by_id": "somebody",
    "recorded_by_name": "Somebody",
}
APPROVED = {"approved_by_schema": "public", "approved_by_id": "second", "approved_at": AT}
FINAL = {
    **APPROVED,
    "status": "FINALISED",
    "number": "F2026-00009",
    "series": "F",
    "year": 2026,
    "sequence": 9,
    "issue_date": DAY,
    "seller": {},
    "buyer": {},
    "finalised_at": AT,
    "previous_hash": "0" * 64,
    "document_hash": "a" * 64,
}


def rate_card() -> dict[str, Any]:
    day = next(CARD_DAYS)
    return {
        "valid_from": day,
        "valid_until": day + timedelta(days=1),
        "name": "x",
        "vat_rate": Decimal("0.21"),
        "platform_fee": Decimal(0),
    }


BASES: dict[type, Any] = {
    SignedIn: lambda: {
        "user": saved(User),
        "session": Session.objects.create(session_key=uuid.uuid4().hex, session_data="", expire_date=AT),
        "begun_at": AT,
        "ip": "127.0.0.1",
        "user_agent": "A",
    },
    BreakGlass: lambda: {
        "municipality": Municipality.objects.get(schema_name="utrecht"),
        "employee_id": ID,
        "employee_name": "A",
        "roles": ["AGENT"],
        "reason": "Melding 1234 nagaan",
        "minutes": 30,
        "state": "REQUESTED",
        "requested_at": AT,
        "lapses_at": AT + timedelta(days=1),
    },
    Trouble: lambda: {"number": Number.objects.first(), "kind": "TOKEN", "opened_at": AT},
    NumberHealth: lambda: {"number": Number.objects.first()},
    Municipality: municipality,
    Domain: lambda: {"domain": "elders.example", "tenant": Municipality.objects.get(schema_name="utrecht")},
    DeclaredPurpose: lambda: {"municipality": saved(Municipality), "purpose": "CRISIS", "declared_at": AT},
    Number: number,
    User: user,
    RoleGrant: lambda: {"user": saved(User), "role": "AGENT"},
    SignInRules: dict,
    Invitation: lambda: {
        "user": saved(User),
        "invited_by_name": "A",
        "invited_at": AT,
        "expires_at": AT + timedelta(days=7),
        "token_digest": HASH,
    },
    Mail: lambda: {"user": saved(User), "what": "INVITATION", "language": "nl", "queued_at": AT, "due_at": AT},
    SignOn: lambda: {
        "issuer": "https://login.example",
        "client_id": "x",
        "client_secret": "x",
        "groups_claim": "groups",
        "second_step": "HERE",
        "local_admin": saved(User),
        "changed_at": AT,
    },
    GroupRole: lambda: {"group": "x", "role": "AGENT"},
    Entry: lambda: {
        "sequence": 1_000_000,
        "at": AT,
        "actor_schema": "public",
        "actor_id": "x",
        "actor_name": "x",
        "action": "x",
        "subject": "x",
        "outcome": "OK",
        "origin": "",
        "form": 1,
        "previous_hash": HASH,
        "hash": HASH,
    },
    DraftReview: lambda: {
        "municipality_id": ID,
        "template_id": ID,
        "wording_hash": "0" * 64,
        "name": "x",
        "language": "nl",
        "purpose": "SERVICES",
        "components": [],
        "findings": [],
        "policy_date": DAY,
        "asked_at": AT,
        "asked_by": "x",
    },
    DeclarationChange: lambda: {
        "municipality": saved(Municipality),
        "before": [],
        "purposes": {},
        "terms_version": "2021-01",
        "signatory_name": "x",
        "signatory_function": "x",
        "asked_at": AT,
        "asked_by_schema": "x",
        "asked_by_id": "x",
        "asked_by_name": "x",
    },
    ElectionPeriod: lambda: {"name": "x", "begins_date": DAY, "ends_date": DAY, "set_by": "x", "set_at": AT},
    Replay: lambda: {
        "asked_by_schema": "public",
        "asked_by_id": "x",
        "asked_by_name": "x",
        "asked_at": AT,
        "total": 1,
    },
    NumberHour: lambda: {**NUMBER, "hour": AT, "municipality_id": ID},
    UnknownUpdate: lambda: {"municipality_id": ID, "field": "x", "times": 1, "first_at": AT, "last_at": AT},
    ApiKey: lambda: {
        "name": uuid.uuid4().hex,
        "scopes": ["usage:read"],
        "prefix": uuid.uuid4().hex[:10],
        "secret_hash": HASH,
        "created_at": AT,
    },
    IdempotencyRecord: lambda: {
        "api_key": saved(ApiKey),
        "idempotency_key": "x",
        "request_hash": HASH,
        "created_at": AT,
    },
    Contact: lambda: {"wa_id": uuid.uuid4().hex, "created_at": AT},
    Consent: lambda: {
        "contact": saved(Contact),
        "word": "OPT_OUT",
        "source": "WHATSAPP",
        "at": AT,
        "recorded_at": AT,
        "actor_schema": "",
        "actor_id": "contact",
        "actor_name": "contact",
    },
    ThreadNote: lambda: {"thread": saved(Thread), "kind": "NOTE", "text": "x", "at": AT},
    ClosedAnswer: lambda: {"saved_at": AT},
    Told: lambda: {"contact": saved(Contact), "what": "CLOSED", "told_at": AT, "until": AT + timedelta(hours=1)},
    Label: lambda: {"name": uuid.uuid4().hex[:20]},
    ThreadLabel: lambda: {"thread": saved(Thread), "label": saved(Label)},
    CannedReply: lambda: {"shortcut": uuid.uuid4().hex[:20], "title": "x", "text": "x"},
    ReplyDraft: lambda: {"thread": saved(Thread), "user_id": ID, "text": "x", "saved_at": AT},
    Mention: lambda: {"note": saved(ThreadNote), "user_id": ID},
    Thread: lambda: {"contact": saved(Contact), **NUMBER, "opened_at": AT, "last_message_at": AT},
    Sighting: lambda: {"wa_id": uuid.uuid4().hex, "seen_at": AT},
    IdChange: lambda: {"ids": ["1", "2"], "old_wa_id": "1", "new_wa_id": "2", "changed_at": AT},
    Alteration: lambda: {
        "wamid": uuid.uuid4().hex,
        "target_wamid": "wamid.x",
        "kind": "EDIT",
        "by_contact": True,
        "stamped_at": AT,
    },
    LooseStatus: lambda: {"wamid": "wamid.x", "status": "sent", "stamped_at": AT},
    WindowOpening: lambda: {"contact": saved(Contact), **NUMBER, "opened_at": AT},
    Template: lambda: {
        "waba_id": "1",
        "name": "x",
        "language": "nl",
        "category": "UTILITY",
        "purpose": "CRISIS",
        "body": "x",
    },
    TemplateVersion: lambda: {
        "template": saved(Template),
        "number": 1,
        "at": AT,
        "source": "OURS",
        "changed": ["status"],
        "status": "DRAFT",
        "category": "UTILITY",
        "components": [],
        "parameter_format": "NAMED",
    },
    TemplateAlert: lambda: {"template": saved(Template), "kind": "PAUSED", "raised_at": AT},
    TemplateEdit: lambda: {"template": Template.objects.first(), "components": [], "saved_at": AT, "saved_by": "x"},
    TemplateSync: lambda: {"waba_id": "1"},
    Message: message,
    Medium: medium,
    Blob: lambda: {
        "name": uuid.uuid4().hex,
        "medium": saved(Medium),
        "part": "ORIGINAL",
        "state": "KEPT",
        "changed_at": AT,
    },
    MetaUpload: lambda: {"medium": saved(Medium), **NUMBER, "meta_id": "1", "uploaded_at": AT},
    TenantKey: lambda: {"municipality": saved(Municipality, **next(OTHERS)), "key_encrypted": HASH, "made_at": AT},
    MessageStatus: lambda: {"message": saved(Message), "status": "sent", "stamped_at": AT},
    Team: lambda: {"name": uuid.uuid4().hex},
    Membership: lambda: {"user": saved(User), "team": saved(Team)},
    TeamRule: lambda: {"only_own": True},
    Office: office,
    OpenPeriod: lambda: {"weekday": 6, "opens_minute": 540, "closes_minute": 720},
    SpecialDay: lambda: {"date": DAY, "name": "Studiedag"},
    PrivacyNotice: lambda: {"url": "https://www.utrecht.example/", "form_of_address": "FORMAL", "saved_at": AT},
    UncertainChoice: lambda: {
        "message": saved(Message),
        "choice": "LEAVE",
        "chosen_at": AT,
        "chosen_by_id": "1",
        "chosen_by_name": "Sanne",
    },
    FirstWrite: lambda: {"message": saved(Message), "contact": saved(Contact), "written_at": AT},
    OutboxItem: lambda: {
        "message": saved(Message),
        **NUMBER,
        "contact": saved(Contact),
        "priority": 0,
        "request": {},
        "due_at": AT,
    },
    Fact: lambda: {
        **NUMBER,
        "wamid_hash": HASH,
        "municipality_id": ID,
        "contact_hash": HASH,
        "first_stamped_at": AT,
        "recorded_at": AT,
    },
    FactReport: lambda: {
        **NUMBER,
        "wamid_hash": HASH,
        "status": "DELIVERED",
        "stamped_at": AT,
        "recorded_at": AT,
        "digest": HASH,
    },
    ContactLink: lambda: {
        **NUMBER,
        "from_contact_hash": HASH,
        "to_contact_hash": OTHER_HASH,
        "municipality_id": ID,
        "recorded_at": AT,
    },
    LateContact: lambda: {**NUMBER, "contact_hash": HASH, "recorded_at": AT},
    Conversation: conversation,
    Month: lambda: {"month": date(2020, 1, 1), "closed_at": AT},
    Correction: lambda: {
        "run": date(2026, 4, 1),
        "month": MONTH,
        **NUMBER,
        "category": "SERVICE",
        "municipality_id": ID,
        "quantity": 1,
        "by_card": {"2026-01-01": 1},
        "recorded_at": AT,
    },
    RegisterEdition: lambda: {"version": "5", "sha256": HASH, "entries": [], "taken_at": AT},
    Onboarding: onboarding,
    StageMove: lambda: of_an_onboarding(from_stage="APPLIED", to_stage="DECLARED", **deed()),
    ApplicationVersion: lambda: of_an_onboarding(part="PRIVACY", version=1, values={}, **deed()),
    ApplicationLink: application_link,
    SignedCopy: signed_copy,
    Connection: lambda: of_an_onboarding(way="MANUAL"),
    ConnectionStep: lambda: of_an_onboarding(step="SUBSCRIBE", state="WAITING"),
    RateCard: rate_card,
    Rate: lambda: {"card": saved(RateCard), "category": "SERVICE", "unit_price": Decimal("0.01")},
    Invoice: invoice,
    InvoiceLine: line,
    BillingProfile: lambda: {"municipality_id": ID, "valid_from": MONTH, "legal_name": "Gemeente", **BY},
    InvoiceCounter: lambda: {"series": "F", "year": next(YEARS), "last": 1},
    Payment: lambda: {
        "invoice": saved(Invoice),
        "amount_cents": 100,
        "paid_date": DAY,
        "reference": "afschrift 1",
        **BY,
    },
    InvoiceDocument: lambda: {
        "invoice": saved(Invoice),
        "kind": "UBL",
        "content": b"<Invoice/>",
        "sha256": "b8dbbfb2620e9346480364a8d935a0ff2038ce9bac7738f5ec58f22e639d2607",
        "made_at": AT,
    },
    InvoiceMail: lambda: {"invoice": saved(Invoice), "address": "f@x.example", "due_at": AT, **BY},
    StripeCustomer: lambda: {"municipality_id": uuid.uuid4(), "stripe_id": f"cus_{uuid.uuid4()}", "first_asked_at": AT},
    Collection: lambda: {"invoice": saved(Invoice), "stripe_id": f"in_{uuid.uuid4()}", "due_at": AT},
    StripeEvent: lambda: {
        "event_id": f"evt_{uuid.uuid4()}",
        "kind": "invoice.paid",
        "object_id": "in_1",
        "received_at": AT,
        "due_at": AT,
    },
    Adjustment: lambda: {
        "municipality_id": ID,
        "run": MONTH,
        "month": MONTH,
        "description": "Storing",
        "reason": "Storing op 2 maart",
        "net_cents": -100,
        **BY,
    },
    MetaRateSheet: lambda: {
        "valid_from": next(CARD_DAYS),
        "name": "x",
        "source": "made up",
        "read_date": DAY,
        "is_example": True,
        "unit": "MESSAGE",
        "default_market": "NL",
    },
    MetaRate: lambda: {
        "sheet": saved(MetaRateSheet),
        "market": "NL",
        "category": "SERVICE",
        "unit_price": Decimal("0.01"),
    },
    MessageCount: lambda: {"month": MONTH, "municipality_id": ID, "category": "SERVICE", "messages": 1},
}

# What to alter in an accepted row to have it refused; of a unique rule: what a second row may differ in, and still be.
ROWS: dict[str, dict[str, Any]] = {
    "audit_origin_told": {"form": 2},
    "municipality_stage_known": {"stage": "GONE"},
    "municipality_schema_safe": {"schema_name": "a-b"},
    "municipality_cbs_code_form": {"cbs_code": "0344"},
    "register_edition_named": {"version": ""},
    "onboarding_stage_known": {"stage": "GONE"},
    "onboarding_cbs_code_form": {"cbs_code": "0344"},
    "onboarding_tenant_once_connected": {"stage": "LIVE"},
    "stage_move_stages_known": {"to_stage": "GONE"},
    "stage_move_goes_on": {"to_stage": "APPLIED"},
    "stage_move_says_why": {"to_stage": "REJECTED"},
    "stage_move_data_until_an_end": {"data_until_date": DAY},
    "application_version_once": {"values": {"a": "b"}},
    "application_version_part_known": {"part": "OTHER"},
    "application_version_from_one": {"version": 0},
    "application_link_expires": {"expires_at": AT},
    "application_link_named": {"name": ""},
    "signed_copy_size": {"size_bytes": 0},
    "connection_way_known": {"way": "OTHER"},
    "connection_step_once": {"state": "DONE"},
    "connection_step_state_known": {"state": "GONE"},
    "connection_step_runs_under_a_lease": {"state": "RUNNING"},
    "declaration_change_waits_once": {"before": ["PERMITS"]},
    "declaration_change_state_known": {"state": "GONE", "decided_at": AT, "decided_by_name": "x"},
    "declaration_change_decided_by_somebody": {"state": "WITHDRAWN"},
    "declaration_change_rejected_says_why": {"state": "REJECTED", "decided_at": AT, "decided_by_name": "x"},
    "declared_purpose_once": {"declared_at": AT + timedelta(days=1)},
    "declared_purpose_known": {"purpose": "PROMOTION"},
    "number_open_once": {"waba_id": "777000111222333"},
    "number_display_form": {"display_phone_number": "0201234567"},
    "number_phone_number_id_form": {"phone_number_id": "55500x"},
    "number_waba_id_form": {"waba_id": "1234"},
    "number_messages_per_second": {"messages_per_second": 0},
    "break_glass_minutes": {"minutes": 241},
    "break_glass_reason": {"reason": "zomaar"},
    "break_glass_roles_known": {"roles": ["PRIVACY_OFFICER"]},
    "break_glass_opened_whole": {"state": "OPEN"},
    "break_glass_ends_in_time": {"ends_at": AT + timedelta(minutes=241)},
    "break_glass_ended_told": {"ended_at": None},
    "break_glass_handover_whole": {"handover_digest": HASH},
    "break_glass_once": {"reason": "Nog eens nagaan"},
    "number_health_quality_known": {"quality": "BLUE"},
    "user_email_lower_case": {"email": "A@utrecht.example"},
    "user_language_known": {"language": "fy"},
    "role_grant_once": {},
    "team_name_once": {},
    "membership_once": {},
    "role_grant_known": {"role": "MAYOR"},
    "sign_in_rules_once": {"id": 2},
    "invitation_open_once": {"token_digest": OTHER_HASH},
    "invitation_token_once": {"accepted_at": AT},
    "invitation_ends_one_way": {"accepted_at": AT, "revoked_at": AT},
    "invitation_has_an_end": {"expires_at": AT},
    "mail_what_known": {"what": "PROMOTION"},
    "mail_state_known": {"state": "LOST"},
    "mail_sent_when": {"state": "SENT"},
    "sign_on_one_row": {"id": 2},
    "sign_on_second_step_known": {"second_step": "NOBODY"},
    "sign_on_complete": {"issuer": ""},
    "group_role_once": {},
    "group_role_named": {"group": ""},
    "group_role_known": {"role": "BSP_SUPPORT"},
    "replay_events_of_one_municipality": {"event_ids": [1]},
    "number_hour_once": {"messages": 2},
    "unknown_update_once": {"times": 2},
    "api_key_name_once": {"prefix": "otherprefix"},
    "api_key_scopes_known": {"scopes": ["usage:read", "everything"]},
    "api_key_has_a_scope": {"scopes": []},
    "api_key_previous_whole": {"previous_prefix": "another"},
    "idempotency_record_once": {"request_hash": OTHER_HASH},
    "contact_has_an_id": {"wa_id": None},
    "consent_told_once": {"recorded_at": AT + timedelta(days=1)},
    "consent_word_known": {"word": "PERHAPS"},
    "consent_source_known": {"source": "GOSSIP"},
    "consent_recorded_says_how": {"source": "RECORDED", "word": "OPT_IN"},
    "consent_message_has_wamid": {"source": "MESSAGE"},
    "consent_recorded_afterwards": {"source": "RECORDED", "at": AT + timedelta(days=1)},
    "thread_open_once": {"opened_at": AT + timedelta(days=1)},
    "thread_closed_has_moment": {"state": "CLOSED"},
    "thread_snoozed_is_open": {"state": "CLOSED", "closed_at": AT, "snoozed_until": AT},
    "thread_close_reason_known": {"close_reason": "SPAM"},
    "thread_note_kind_known": {"kind": "RUMOUR"},
    "thread_note_not_empty": {"text": ""},
    "mention_once": {"seen_at": AT},
    "closed_answer_is_one": {"id": 2},
    "told_once": {"until": AT + timedelta(hours=2)},
    "told_what_known": {"what": "NEWS"},
    "told_until_later": {"until": AT},
    "label_name_once": {},
    "label_has_name": {"name": ""},
    "label_colour_known": {"colour": "PINK"},
    "thread_label_once": {},
    "canned_reply_shortcut_once": {"title": "y"},
    "canned_reply_shortcut_plain": {"shortcut": "Twee woorden"},
    "canned_reply_one_safe_route": {"shortcut": "anders"},
    "canned_reply_says_something": {"text": ""},
    "reply_draft_once": {"text": "y"},
    "reply_draft_not_empty": {"text": ""},
    "template_once": {"body": "y"},
    "template_status_known": {"status": "LOST"},
    "template_purpose_known": {"purpose": "PROMOTION"},
    "template_version_once": {"status": "APPROVED"},
    "template_version_source_known": {"source": "RUMOUR"},
    "template_alert_open_once": {"raised_at": AT + timedelta(days=1)},
    "template_sync_outcome_known": {"outcome": "LOST"},
    "template_sync_failed_has_reason": {"outcome": "FAILED"},
    "sighting_once": {"seen_at": AT + timedelta(days=1)},
    "sighting_of_somebody": {"wa_id": ""},
    "id_change_once": {"changed_at": AT + timedelta(days=1)},
    "alteration_kind_known": {"kind": "OTHER"},
    "loose_status_once": {"stamped_at": AT + timedelta(days=1)},
    "window_opening_once": {"opened_at": AT + timedelta(days=1)},
    "thread_imported_once": {"opened_at": AT + timedelta(days=1)},
    "thread_imported_is_closed": {"imported": True},
    "message_edited_has_original": {"edited_at": AT},
    "message_state_fits_direction": {"direction": "INBOUND"},
    "message_accepted_has_wamid": {"state": "ACCEPTED"},
    "trouble_open_once": {"detail": "again"},
    "draft_review_once": {"name": "another"},
    "draft_review_state_known": {"state": "MAYBE", "reason": "x", "decided_at": AT, "decided_by": "x"},
    "draft_review_decided_with_reason": {"state": "RELEASED"},
    "election_period_ends_after_begin": {"ends_date": DAY - timedelta(days=1)},
    "election_period_named": {"name": ""},
    "trouble_closed_after_opened": {"closed_at": AT - timedelta(seconds=1)},
    "message_failed_has_reason": {"state": "FAILED"},
    "uncertain_choice_repeats_or_leaves": {"choice": "SEND_AGAIN"},
    "office_is_one": {"id": 2},
    "open_period_weekday_known": {"weekday": 7},
    "open_period_within_its_day": {"closes_minute": 540},
    "open_period_no_overlap": {"opens_minute": 719, "closes_minute": 800},
    "special_day_named": {"name": ""},
    "special_day_closed_or_open": {"opens_minute": 540},
    "privacy_notice_is_one": {"id": 2},
    "privacy_notice_address_known": {"form_of_address": "RUDE"},
    "privacy_notice_url_secure": {"url": "http://www.utrecht.example/"},
    "team_has_a_name": {"name": ""},
    "team_rule_is_one": {"id": 2},
    "medium_pending_is_due": {"state": "PENDING"},
    "medium_stored_is_known": {"sha256": None},
    "medium_failed_has_reason": {"state": "FAILED"},
    "blob_kept_once": {"name": "another"},
    "blob_kept_of_medium": {"medium": None},
    "meta_upload_once": {"meta_id": "2"},
    "message_status_once": {"stamped_at": AT + timedelta(days=1)},
    "fact_once": {"contact_hash": OTHER_HASH},
    "fact_report_once": {"stamped_at": AT + timedelta(days=1)},
    "fact_report_status_known": {"status": "FAILED"},
    "contact_link_once": {"to_contact_hash": b"\x03" * 32},
    "contact_link_to_another": {"to_contact_hash": HASH},
    "late_contact_once": {"recorded_at": AT + timedelta(days=1)},
    "conversation_no_overlap": {
        "opened_at": AT + timedelta(hours=23),
        "ends_at": AT + timedelta(hours=47),
        "opened_date": date(2026, 3, 3),
    },
    "conversation_period": {"ends_at": AT + timedelta(hours=72)},
    "conversation_month_of_opening": {"month": date(2026, 2, 1)},
    "conversation_opened_date": {"opened_date": date(2026, 3, 3)},
    "month_is_first_day": {"month": date(2020, 1, 2)},
    "correction_once": {"quantity": 2},
    "correction_of_earlier_month": {"month": date(2026, 4, 1)},
    "correction_not_empty": {"by_card": {}},
    "rate_card_in_euro": {"currency": "USD"},
    "rate_card_vat_rate": {"vat_rate": Decimal("1.21")},
    "rate_card_platform_fee": {"platform_fee": Decimal(-1)},
    "rate_once": {"unit_price": Decimal("0.02")},
    "rate_not_negative": {"unit_price": Decimal(-1)},
    "rate_category_form": {"category": "service"},
    "invoice_once": {"net_cents": 200, "total_cents": 221},
    "invoice_period_is_first_day": {"period": DAY},
    "invoice_total_is_net_and_vat": {"total_cents": 120},
    "rate_card_no_overlap": {"vat_rate": Decimal(0)},
    "rate_card_days": {"valid_until": date(2030, 1, 1)},
    "rate_card_terms": {"discount": Decimal(1)},
    "rate_from_one": {"from_quantity": 0},
    "invoice_status_known": {**FINAL, "status": "LOST"},
    "invoice_final_is_whole": {**APPROVED, "status": "FINALISED"},
    "invoice_sequence_once": {"number": "F2026-00010", "period": date(2026, 4, 1), "previous_hash": "b" * 64},
    "invoice_chain_once": {"number": "F2026-00010", "period": date(2026, 4, 1), "sequence": 10},
    "invoice_series_of_kind": {"series": "C"},
    "invoice_credits": {"reason": "too much"},
    "invoice_four_eyes": {"prepared_by_schema": "public", "prepared_by_id": "second"},
    "invoice_approved_by_somebody": {"status": "APPROVED"},
    "billing_profile_kvk": {"kvk": "1234567"},
    "billing_profile_oin": {"oin": "1" * 20},
    "billing_profile_cost_centre": {"cost_centre": "4410", "has_no_cost_centre": True},
    "billing_profile_payment_days": {"payment_days": 61},
    "invoice_counter_once": {},
    "invoice_counter_positive": {"last": 0},
    "invoice_counter_series": {"series": "X"},
    "message_count_once": {"messages": 2},
    "meta_rate_sheet_unit": {"unit": "DAY"},
    "meta_rate_sheet_source": {"source": ""},
    "meta_rate_once": {"unit_price": Decimal("0.02")},
    "meta_rate_not_negative": {"unit_price": Decimal("-0.01")},
    "invoice_document_once": {"kind": "UBL"},
    "invoice_document_kind": {"kind": "DOC"},
    "invoice_document_hash": {"sha256": "0" * 64},
    "invoice_mail_state": {"state": "LOST"},
    "invoice_mail_waits_once": {"address": "other@x.example"},
    "invoice_mail_sent_when": {"state": "SENT"},
    "collection_step": {"step": "LOST", "stripe_id": "in_9"},
    "collection_known_at_stripe": {"step": "DRAFTED", "stripe_id": None},
    "collection_stopped_why": {"step": "STOPPED"},
    "stripe_event_outcome": {"outcome": "APPLIED"},
    "payment_once": {"recorded_by_name": "Other"},
    "payment_not_zero": {"amount_cents": 0},
    "adjustment_not_zero": {"net_cents": 0},
    "adjustment_has_a_reason": {"reason": ""},
    "adjustment_months": {"run": DAY},
    "adjustment_by_a_person": {"recorded_by_id": "system"},
    "invoice_kind_known": {"kind": "GIFT"},
    "invoice_number_only_when_final": {"number": "2026-0001"},
    "invoice_line_position": {"description": "y"},
    "invoice_line_kind_known": {"kind": "GIFT"},
    "invoice_line_not_negative": {"quantity": -1},
    "invoice_line_category": {"category": ""},
}

OPENED = {"state": "OPEN", "opened_at": AT, "ends_at": AT + timedelta(minutes=30), "user_id": ID}

# What both rows have, where an ordinary one would not be under the rule.
BOTH: dict[str, dict[str, Any]] = {
    "canned_reply_one_safe_route": {"is_safe_route": True},
    "break_glass_ends_in_time": OPENED,
    "break_glass_ended_told": {**OPENED, "state": "ENDED", "ended_at": AT, "ended_by": "A"},
    "invoice_sequence_once": FINAL,
    "invoice_chain_once": FINAL,
    "invoice_four_eyes": {**APPROVED, "status": "APPROVED"},
    "thread_imported_once": {"imported": True, "state": "CLOSED", "closed_at": AT},
}


def pair(*, name: str, model: type) -> tuple[Any, Any]:
    """Return a row that is accepted and one that the constraint refuses."""
    values = {**accepted(model), **BOTH.get(name, {})}
    return model(**values), model(**{**values, **ROWS[name]})


def twins(*, model: type, field: Any) -> tuple[Any, Any]:
    """Return two rows that have one unique field in common."""
    also = UNIQUE_ALSO.get(f"{model.__name__}.{field.name}", {})
    more = also() if callable(also) else also
    values = {**accepted(model), **more}
    other = {**accepted(model), **more, **OTHERWISE.get(model, {})}
    return model(**values), model(**{**other, field.name: values.get(field.name)})


UNIQUE_ALSO: dict[str, Any] = {
    "BreakGlass.handover_digest": {"handover_digest": HASH, "handover_until": AT},
    "ApiKey.previous_prefix": {"previous_prefix": "another", "previous_hash": HASH, "previous_until": AT},
    "User.break_glass_id": {"break_glass_id": ID},
    "Contact.bsuid": {"bsuid": "NL.1"},
    "Onboarding.municipality": lambda: {"stage": "LIVE", "municipality": saved(Municipality)},
    "Message.wamid": {"wamid": "wamid.x"},
    "Consent.wamid": {"source": "MESSAGE", "wamid": "wamid.x"},
    "Consent.confirmation": lambda: {"confirmation": saved(Message)},
    "UncertainChoice.repeated_by": lambda: {"choice": "SEND_AGAIN", "repeated_by": saved(Message)},
    "Invoice.number": FINAL,
    "InvoiceLine.credits": lambda: {"credits": saved(InvoiceLine)},
    "Adjustment.reverses": lambda: {"reverses": saved(Adjustment)},
}
OTHERWISE: dict[type, dict[str, Any]] = {
    BreakGlass: {"employee_id": uuid.UUID(int=8)},
    Municipality: {"schema_name": "anders", "cbs_code": "GM9998"},
    Domain: {"domain": "anders.example"},
    Onboarding: {"cbs_code": "GM9997"},
    Entry: {"sequence": 1_000_001},
    Invoice: {"period": date(2026, 5, 1), "sequence": 10, "previous_hash": "b" * 64},
}
