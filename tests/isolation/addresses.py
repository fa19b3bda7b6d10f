"""Every address there is, and what is known of each: the table that a new address must be entered in.

The list itself is never written down: it comes from the resolvers and from the tables of config/doors.py.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ApiKey, Invitation, Mail, RoleGrant, SignedIn, Team, TeamRule, User
from audit.models import Entry
from billing.models import Adjustment, Invoice
from messaging.core.models import DraftReview, Replay
from messaging.models import (
    Blob,
    CannedReply,
    Consent,
    Contact,
    InboxEvent,
    Label,
    Medium,
    Message,
    OutboxItem,
    ReplyDraft,
    SpecialDay,
    Template,
    TemplateEdit,
    TemplateSync,
    Thread,
    ThreadLabel,
    ThreadNote,
    UncertainChoice,
)
from tenants.models import (
    ApplicationLink,
    BreakGlass,
    DeclarationChange,
    ElectionPeriod,
    Municipality,
    NumberHealth,
    Onboarding,
)
from tests.isolation.rows import AT, Party, undecided

PAGE, API, OPEN = "PAGE", "API", "OPEN"
# What somebody is answered whose cookie or key is of another host. 405: the address does not know the method.
STRANGERS = {PAGE: {302, 405}, API: {401, 405}, OPEN: {200, 302, 400, 403, 404, 405}}
TENANT_URLS, CONSOLE_URLS = "config.urls_tenant", "config.urls_public"
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
Ids = dict[str, type[Model] | Callable[[Party], Any]]


@dataclass(frozen=True)
class Address:
    """What is known of one address.

    door: PAGE asks for a session, API for a key, OPEN for neither.
    by: the role or scope with which the owner uses it; method: how.
    ids: what to fill in where the address has a parameter: a model, whose row's id it is, or a function of the party.
    form, body, query: what goes with it, of a party's own ids, so that with the owner's ids it is an attack.
    sees: fields of the owner's rows that the owner must see there. changes: models whose rows the owner changes there.
    nothing: why it shows and changes nothing of a municipality; every address has one of the three.
    elsewhere: what another municipality may be answered on its own host that asks with the owner's ids; 403, 405 and
    being asked to sign in are always right.
    never: what a stranger must not be answered, although the door may.
    answered: what its owner is answered.
    notes: in which the host notes that a stranger tried.
    console_shows: fields of a municipality's own schema that the BSP is shown.
    in_their_trail: whether what the BSP does there stands in the municipality's own trail as well.
    mails_them: whether the municipality's own people are mailed what the BSP does there.
    """

    door: str
    by: str = "*"
    method: str = "GET"
    ids: Ids = field(default_factory=dict)
    form: Callable[[Party], dict[str, Any]] | None = None
    body: Callable[[Party], dict[str, Any]] | None = None
    query: Callable[[Party], str] | None = None
    sees: tuple[str, ...] = ()
    changes: tuple[type[Model], ...] = ()
    nothing: str = ""
    elsewhere: frozenset[int] = frozenset({404})
    never: frozenset[int] = frozenset()
    answered: frozenset[int] = frozenset({200, 201, 204, 302})
    notes: tuple[type[Model], ...] = ()
    console_shows: tuple[str, ...] = ()
    in_their_trail: bool = False
    mails_them: bool = False

    def path(self, route: str, party: Party, *, instead: str | None = None) -> str:
        """Return the path with a party's ids in it; instead: with this in the place of each."""

        def fill(match: re.Match[str]) -> str:
            source = self.ids[match[1]]
            value = party.rows[source].pk if isinstance(source, type) else source(party)
            return instead if instead is not None else str(value)

        path = "/" + _PARAMETER.sub(fill, route)
        return f"{path}?{self.query(party)}" if self.query else path

    def sent(self, party: Party) -> dict[str, Any]:
        """Return what goes with a request of the method, as `ask` takes it."""
        if self.form is not None:
            return {"form": self.form(party)}
        return {"body": json.dumps(self.body(party)).encode()} if self.body is not None else {}


def routes(*, urlconf: str) -> list[str]:
    """Return every address that a resolver knows, as it is written there."""
    return list(_routes(get_resolver(urlconf).url_patterns))


def _routes(patterns: Any, prefix: str = "") -> Iterator[str]:
    for each in patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, route)
        else:
            assert isinstance(each, URLPattern)
            yield route


def parameters(route: str) -> list[str]:
    """Return the names of an address's parameters."""
    return _PARAMETER.findall(route)


LIST = frozenset({200})  # answered with the asker's own
# Of the asker alone, whatever is sent; a passkey's number means another one in each schema.
OWN = frozenset({200, 302, 404})
_USER: Ids = {"user_id": User}
_INVITED: Ids = {"user_id": lambda party: party.rows[Invitation].user_id}
_PASSKEY: Ids = {"pk": Authenticator}
_THREAD: Ids = {"thread_id": Thread}
_MEDIUM: Ids = {"thread_id": Thread, "medium_id": Medium}
_INVOICE: Ids = {"invoice_id": Invoice}
_MISTAKEN = frozenset({404, 422})  # an empty form is handed back with what is wrong

EVERY_HOST = {
    "": Address(PAGE, nothing="sends on to the first page that somebody may see", elsewhere=frozenset({200, 302})),
    "sign-in/": Address(
        OPEN,
        method="POST",
        form=lambda party: dict(zip(("login", "password"), next(iter(party.passwords.items())), strict=True)),
        notes=(Entry,),
        changes=(Session,),
        elsewhere=frozenset({200, 302}),  # who is signed in already is sent on
        never=frozenset({302}),
    ),
    "sign-in/passkey/": Address(
        OPEN,
        form=lambda party: {"credential": ""},
        nothing="takes what a passkey signed",
        elsewhere=frozenset({200, 302}),
    ),
    "sign-in/second-step/": Address(
        OPEN, nothing="asks who has just given a password for the second step", elsewhere=frozenset({302})
    ),
    "account/": Address(PAGE, sees=("User.email", "User.name", "Authenticator.data"), elsewhere=LIST),
    "account/sessions/end/": Address(
        PAGE,
        method="POST",
        form=lambda party: {"place": str(party.rows[SignedIn].id)},
        changes=(Session, SignedIn),
        elsewhere=frozenset({302}),
    ),
    "account/second-step/": Address(
        PAGE, nothing="leads who owes a second step to setting one up, or to giving it", elsewhere=OWN
    ),
    "account/confirm/": Address(PAGE, nothing="asks for one's own password again", elsewhere=OWN),
    "account/confirm/code/": Address(PAGE, nothing="asks for one's own second step again", elsewhere=OWN),
    "account/confirm/passkey/": Address(PAGE, nothing="asks for one's own passkey again", elsewhere=OWN),
    "account/app/": Address(PAGE, nothing="shows a new secret, or sends on who has an app", elsewhere=OWN),
    "account/app/remove/": Address(PAGE, method="POST", changes=(Authenticator,), elsewhere=OWN),
    "account/passkeys/": Address(PAGE, nothing="says what a new passkey must sign", elsewhere=OWN),
    "account/passkeys/<int:pk>/": Address(PAGE, ids=_PASSKEY, sees=("Authenticator.data",), elsewhere=OWN),
    "account/passkeys/<int:pk>/remove/": Address(
        PAGE, ids=_PASSKEY, method="POST", changes=(Authenticator,), elsewhere=OWN
    ),
    "account/recovery-codes/": Address(PAGE, changes=(Authenticator,), elsewhere=OWN),  # notes that they were shown
    "account/recovery-codes/new/": Address(PAGE, method="POST", changes=(Authenticator,), elsewhere=OWN),
    "sign-in/forgotten/": Address(
        OPEN,
        form=lambda party: {"email": next(iter(party.passwords))},
        nothing="mails a link to whose address it is, and says the same to all",
        elsewhere=frozenset({200, 302}),
    ),
    "sign-in/forgotten/sent/": Address(OPEN, nothing="says that a mail may be under way", elsewhere=LIST),
    "sign-in/forgotten/done/": Address(OPEN, nothing="says that the password is new", elsewhere=LIST),
    "sign-in/forgotten/<slug:uidb36>/<slug:key>/": Address(
        OPEN,
        ids={"uidb36": lambda party: party.rows[User].pk.hex, "key": lambda party: "c9x0ab-0123456789abcdef"},
        form=lambda party: {"password1": "x"},
        nothing="takes a new password from who has a link that was mailed",
        elsewhere=frozenset({200, 302}),
    ),
    "account/password/": Address(
        PAGE, form=lambda party: {"password1": "x"}, nothing="takes a new password, with the old one", elsewhere=OWN
    ),
    "account/email/": Address(PAGE, sees=("User.email",), elsewhere=OWN),
    "account/email/<str:key>/": Address(
        OPEN,
        ids={"key": lambda party: "MQ:1abcde:forged"},
        form=lambda party: {},
        nothing="confirms an address",
        elsewhere=OWN,
    ),
    "invitation/": Address(
        OPEN,
        form=lambda party: {"name": "x", "password1": "x"},
        nothing="takes name and password from who followed a link that was mailed",
        elsewhere=frozenset({404}),
        answered=frozenset({404}),
    ),
    "invitation/<str:token>/": Address(
        OPEN,
        ids={"token": lambda party: party.text("token")},
        nothing="takes a link that was mailed",
        answered=frozenset({404}),
    ),
    "users/": Address(PAGE, "*", sees=("User.email", "User.name"), elsewhere=LIST),
    "users/review.csv": Address(PAGE, "*", sees=("User.email",), changes=(Entry,), elsewhere=LIST),
    "users/invite/": Address(
        PAGE,
        "*",
        method="POST",
        form=lambda party: {
            "email": "nieuw@voorbeeld.example",
            "name": "Nieuw",
            "role": "BSP_SUPPORT" if party.schema == "public" else "AGENT",
        },
        changes=(User, RoleGrant, Invitation, Mail, Entry),
        elsewhere=frozenset({200, 302, 422}),
    ),
    "users/invite/many/": Address(
        PAGE,
        "*",
        method="POST",
        form=lambda party: {
            "step": "send",
            "text": "email,name,roles\nnieuw@voorbeeld.example,Nieuw,"
            + ("BSP_SUPPORT" if party.schema == "public" else "AGENT"),
        },
        changes=(User, RoleGrant, Invitation, Mail, Entry),
        elsewhere=frozenset({200, 302, 422}),
    ),
    "users/<uuid:user_id>/": Address(PAGE, "*", ids=_USER, sees=("User.email", "User.name")),
    "users/<uuid:user_id>/roles/": Address(
        PAGE,
        "*",
        method="POST",
        ids=_INVITED,
        form=lambda party: {"role": "BSP_ONBOARDING" if party.schema == "public" else "SUPERVISOR"},
        changes=(RoleGrant, Entry),
    ),
    "users/<uuid:user_id>/invitation/": Address(
        PAGE, "*", method="POST", ids=_INVITED, form=lambda party: {"act": "again"}, changes=(Invitation, Mail, Entry)
    ),
    "users/<uuid:user_id>/access/": Address(
        PAGE, "*", method="POST", ids=_INVITED, form=lambda party: {"act": "block"}, changes=(User, Invitation, Entry)
    ),
    "users/<uuid:user_id>/second-step/": Address(
        PAGE, "*", method="POST", ids=_INVITED, nothing="takes away what this one does not have (test_people.py)"
    ),
    "mail/": Address(OPEN, nothing="shows what a demo sent; nothing where mail leaves", elsewhere=LIST),
    "sign-out/": Address(OPEN, method="POST", changes=(Session,), elsewhere=frozenset({200, 302})),
    "language/": Address(
        OPEN,
        method="POST",
        form=lambda party: {"language": "en", "next": f"/threads/{party.text('next')}/"},
        changes=(User,),
        elsewhere=frozenset({302}),
    ),
    ".well-known/security.txt": Address(OPEN, nothing="says whom to tell of a weakness", elsewhere=LIST),
    "trail/": Address(PAGE, "*", sees=("Entry.subject", "Entry.action"), elsewhere=LIST, query=lambda party: "since="),
    "trail/export.<slug:form>": Address(
        PAGE,
        "*",
        ids={"form": lambda party: "jsonl"},
        query=lambda party: "since=",
        sees=("Entry.details",),  # a stream is read once
        changes=(Entry,),
        elsewhere=frozenset({200, 404}),
    ),
    "keys/": Address(PAGE, sees=("ApiKey.name", "ApiKey.prefix"), elsewhere=LIST),
    "keys/new/": Address(
        PAGE,
        method="POST",
        form=lambda party: {"name": party.text("new key"), "scopes": "usage:read"},
        changes=(ApiKey, Entry),
        elsewhere=frozenset({200, 422}),  # one of its own, or none: the form was not filled in
    ),
    "keys/<uuid:key_id>/new-secret/": Address(
        PAGE, method="POST", ids={"key_id": ApiKey}, form=lambda party: {"overlap": "24"}, changes=(ApiKey, Entry)
    ),
    "keys/<uuid:key_id>/revoke/": Address(PAGE, method="POST", ids={"key_id": ApiKey}, changes=(ApiKey, Entry)),
    "api/v1/openapi.json": Address(OPEN, nothing="describes the API, the same for everyone", elsewhere=LIST),
    "api/v1/docs/": Address(OPEN, nothing="describes the API, the same for everyone", elsewhere=LIST),
}

OF_MUNICIPALITIES = EVERY_HOST | {
    "inbox/": Address(PAGE, "AGENT", sees=("Contact.profile_name", "Message.text"), elsewhere=LIST),
    "inbox/present/": Address(
        PAGE,
        "AGENT",
        method="POST",
        form=lambda party: {"thread": str(party.rows[Thread].id)},
        nothing="reads ids from Redis, below the schema's name (tests/web/test_presence.py)",
        elsewhere=LIST,
    ),
    "inbox/waiting/": Address(PAGE, "AGENT", nothing="counts, and names a thread by its id", elsewhere=LIST),
    "search/": Address(
        PAGE,
        "AGENT",
        method="POST",
        form=lambda party: {"words": "merk"},  # begins what every party's rows say
        changes=(Session,),
        elsewhere=frozenset({200, 302}),  # what is found lies in the asker's own schema (tests/web/test_search.py)
    ),
    "labels/": Address(PAGE, "ADMIN", sees=("Label.name",), elsewhere=frozenset({200, 422})),
    "labels/<uuid:label_id>/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        ids={"label_id": Label},
        form=lambda party: {"name": "Anders", "colour": "GOOD"},
        changes=(Label, Entry),
    ),
    "canned/": Address(PAGE, "SUPERVISOR", sees=("CannedReply.title", "CannedReply.text"), elsewhere=LIST),
    "canned/new/": Address(
        PAGE,
        "SUPERVISOR",
        method="POST",
        form=lambda party: {"shortcut": "nieuw", "title": "Nieuw", "text": "Goedendag"},
        changes=(CannedReply, Entry),
        elsewhere=frozenset({200, 302, 422}),
    ),
    "canned/<uuid:reply_id>/": Address(
        PAGE,
        "SUPERVISOR",
        method="POST",
        ids={"reply_id": CannedReply},
        form=lambda party: {"shortcut": "anders", "title": "Anders", "text": "Goedendag"},
        changes=(CannedReply, Entry),
    ),
    "threads/<uuid:thread_id>/draft/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"text": "Beste"},
        changes=(ReplyDraft,),
    ),
    "threads/<uuid:thread_id>/presence/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        nothing="keeps ids in Redis, below the schema's name (tests/web/test_presence.py)",
    ),
    "threads/<uuid:thread_id>/labels/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {},
        changes=(ThreadLabel, Entry),
    ),
    "threads/<uuid:thread_id>/messages/<uuid:message_id>/reveal/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD | {"message_id": Message},
        sees=("Message.text",),
        changes=(Entry,),
    ),
    "threads/<uuid:thread_id>/notes/<uuid:note_id>/reveal/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD | {"note_id": ThreadNote},
        sees=("ThreadNote.text",),
        changes=(Entry,),
    ),
    "unreached/": Address(PAGE, "AGENT", sees=("Message.text",), elsewhere=LIST),
    "threads/<uuid:thread_id>/uncertain/<uuid:message_id>/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD | {"message_id": undecided},
        form=lambda party: {"choice": "SEND_AGAIN"},
        changes=(UncertainChoice, Message, OutboxItem),
    ),
    "threads/<uuid:thread_id>/": Address(
        PAGE,
        "AGENT",
        ids=_THREAD,
        query=lambda party: f"before={party.rows[OutboxItem].message_id}",
        sees=("Contact.profile_name", "Message.text"),
    ),
    "threads/<uuid:thread_id>/typing/": Address(PAGE, "AGENT", method="POST", ids=_THREAD, changes=(Thread,)),
    "threads/<uuid:thread_id>/consent/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"word": "OPT_OUT", "how": "Aan de balie"},
        changes=(Consent, Entry),
    ),
    "threads/<uuid:thread_id>/reply/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"text": "Goedemorgen", "once": str(uuid4()), "seen": AT.isoformat()},
        changes=(Message, OutboxItem, Thread),
        elsewhere=frozenset({400, 404}),  # 400: what is sent is no form of the page's
    ),
    "threads/<uuid:thread_id>/media/<uuid:medium_id>/": Address(
        PAGE, "AGENT", ids=_MEDIUM, sees=("Medium.filename",), changes=(Entry,)
    ),
    "threads/<uuid:thread_id>/media/<uuid:medium_id>/thumbnail/": Address(
        PAGE, "AGENT", ids=_MEDIUM, nothing="gives bytes that stand in no row (tests/web/test_media_pages.py)"
    ),
    "threads/<uuid:thread_id>/media/<uuid:medium_id>/again/": Address(
        PAGE, "AGENT", method="POST", ids=_MEDIUM, nothing="a stored one is not asked for (the same)"
    ),
    "threads/<uuid:thread_id>/template/<uuid:template_id>/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD | {"template_id": Template},
        form=lambda party: {"step": "send", "value-naam": "Sanne"},
        changes=(Message, OutboxItem),
    ),
    "threads/<uuid:thread_id>/take/": Address(
        PAGE, "AGENT", method="POST", ids=_THREAD, changes=(Thread, ThreadNote, Entry)
    ),
    "threads/<uuid:thread_id>/assign/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"to": str(party.rows[User].id)},
        changes=(Thread, ThreadNote, Entry),
    ),
    "threads/<uuid:thread_id>/snooze/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"until": "week"},
        changes=(Thread, ThreadNote, Entry),
    ),
    "threads/<uuid:thread_id>/note/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"note": "Zie het dossier"},
        changes=(ThreadNote, Entry),
    ),
    "threads/<uuid:thread_id>/case/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"case": "Z-2026-1"},
        changes=(Thread, ThreadNote, Entry),
    ),
    "threads/<uuid:thread_id>/close/": Address(
        PAGE,
        "SUPERVISOR",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"reason": "ANSWERED"},
        changes=(Thread, ThreadNote),
    ),
    "live/inbox/": Address(PAGE, "AGENT", nothing="admits to a stream (test_live.py)", elsewhere=frozenset({204})),
    "live/threads/<uuid:thread_id>/": Address(PAGE, "AGENT", ids=_THREAD, nothing="admits to a stream (test_live.py)"),
    "numbers/": Address(PAGE, "ADMIN", sees=("Number.display_phone_number",), elsewhere=LIST),
    "templates/": Address(PAGE, "ADMIN", sees=("Template.name",), elsewhere=LIST),
    "templates/sync/": Address(PAGE, "ADMIN", method="POST", changes=(TemplateSync,), elsewhere=frozenset({302})),
    "templates/<uuid:template_id>/": Address(
        PAGE, "ADMIN", ids={"template_id": Template}, sees=("Template.name", "Template.body")
    ),
    "templates/new/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        form=lambda party: {
            "step": "save",
            "account": party.number.waba_id,
            "name": "nieuw_bericht",
            "language": "nl",
            "purpose": "SERVICES",
            "body": "Goedendag, uw aanvraag is ontvangen.",
        },
        changes=(Template,),
        elsewhere=frozenset({200, 422}),
    ),
    "templates/<uuid:template_id>/edit/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        ids={"template_id": Template},
        form=lambda party: {"step": "save"},
        nothing="the row is no draft that is written here (tests/web/test_drafting.py)",
        answered=frozenset({404}),
    ),
    "templates/<uuid:template_id>/edit/drop/": Address(
        PAGE, "ADMIN", method="POST", ids={"template_id": Template}, changes=(TemplateEdit,)
    ),
    "templates/<uuid:template_id>/review/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        ids={"template_id": Template},
        nothing="nothing is flagged in it (the same)",
    ),
    "templates/<uuid:template_id>/submit/": Address(
        PAGE, "ADMIN", method="POST", ids={"template_id": Template}, nothing="asks Meta, who is away (the same)"
    ),
    "numbers/<slug:phone_number_id>/read/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        ids={"phone_number_id": lambda party: party.number.phone_number_id},
        changes=(NumberHealth,),
    ),
    "numbers/<slug:phone_number_id>/photo/": Address(
        PAGE,
        "ADMIN",
        ids={"phone_number_id": lambda party: party.number.phone_number_id},
        nothing="asks Meta, who is away",
        answered=frozenset({503}),
    ),
    "numbers/<slug:phone_number_id>/photo/image/": Address(
        PAGE,
        "ADMIN",
        ids={"phone_number_id": lambda party: party.number.phone_number_id},
        nothing="asks Meta, who is away",
        answered=frozenset({503}),
    ),
    "numbers/<slug:phone_number_id>/profile/": Address(
        PAGE,
        "ADMIN",
        ids={"phone_number_id": lambda party: party.number.phone_number_id},
        nothing="asks Meta, who is away",
        answered=frozenset({503}),
    ),
    "opening-hours/": Address(PAGE, "ADMIN", sees=("SpecialDay.name",), elsewhere=frozenset({200, 400})),
    "opening-hours/days/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        form=lambda party: {"date": "2027-03-01", "name": party.text("another day")},
        changes=(SpecialDay,),
        elsewhere=frozenset({302, 422}),
    ),
    "opening-hours/days/<uuid:day_id>/remove/": Address(
        PAGE, "ADMIN", method="POST", ids={"day_id": SpecialDay}, changes=(SpecialDay,)
    ),
    "closed-answer/": Address(PAGE, "ADMIN", sees=("ClosedAnswer.own_text",), elsewhere=frozenset({200, 302})),
    "privacy-notice/": Address(
        PAGE, "ADMIN", sees=("PrivacyNotice.own_text", "PrivacyNotice.url"), elsewhere=frozenset({200, 422})
    ),
    "declaration/": Address(
        PAGE,
        "ADMIN",
        sees=("DeclarationChange.signatory_name", "DeclarationChange.asked_by_name"),
        elsewhere=frozenset({200, 422}),
    ),
    "declaration/<uuid:change_id>/withdraw/": Address(
        PAGE, "ADMIN", method="POST", ids={"change_id": DeclarationChange}, changes=(DeclarationChange,)
    ),
    "elections/": Address(PAGE, "ADMIN", sees=("ElectionPeriod.name",), elsewhere=frozenset({200, 422})),
    "elections/<uuid:period_id>/lift/": Address(
        PAGE, "ADMIN", method="POST", ids={"period_id": ElectionPeriod}, changes=(ElectionPeriod,)
    ),
    "templates/<uuid:template_id>/purpose/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        ids={"template_id": Template},
        form=lambda party: {"purpose": "TOURISM"},
        changes=(Template,),
    ),
    "threads/<uuid:thread_id>/team/": Address(
        PAGE,
        "AGENT",
        method="POST",
        ids=_THREAD,
        form=lambda party: {"team": str(party.rows[Team].id)},
        changes=(Thread, ThreadNote, Entry),
    ),
    "teams/": Address(PAGE, "ADMIN", sees=("Team.name", "User.name"), elsewhere=frozenset({200, 422})),
    "teams/rule/": Address(
        PAGE, "ADMIN", method="POST", form=lambda party: {"only_own": "no"}, changes=(TeamRule,), elsewhere=OWN
    ),
    "teams/<uuid:team_id>/": Address(PAGE, "ADMIN", ids={"team_id": Team}, sees=("Team.name", "User.name")),
    "teams/<uuid:team_id>/dissolve/": Address(PAGE, "ADMIN", method="POST", ids={"team_id": Team}, changes=(Team,)),
    "entries/": Address(PAGE, "ADMIN", sees=("BreakGlass.employee_name", "BreakGlass.reason"), elsewhere=LIST),
    "entries/approval/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        form=lambda party: {"approval": "first"},
        changes=(Municipality, Entry),
        elsewhere=frozenset({302}),
    ),
    "entries/come-in/": Address(
        OPEN,
        method="POST",
        form=lambda party: {"token": party.text("token")},
        nothing="lets in who brings what the console handed over (tests/web/test_entries.py)",
        elsewhere=frozenset({403}),
        answered=frozenset({403}),
    ),
    "entries/<uuid:entry_id>/decide/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        ids={"entry_id": BreakGlass},
        form=lambda party: {"answer": "approve"},
        changes=(BreakGlass, Entry),
        elsewhere=frozenset({400, 404}),  # 400: what is sent is no form of the page's
    ),
    "entries/<uuid:entry_id>/end/": Address(
        PAGE, "ADMIN", method="POST", ids={"entry_id": BreakGlass}, changes=(BreakGlass, Entry)
    ),
    "users/rules/": Address(
        PAGE,
        "ADMIN",
        method="POST",
        form=lambda party: {"for_all": "yes"},
        changes=(Entry,),
        elsewhere=frozenset({200, 302, 400}),
    ),
    "usage/": Address(
        PAGE, "FINANCE", query=lambda party: "month=2026-03", sees=("Conversation.category",), elsewhere=LIST
    ),
    "invoices/": Address(PAGE, "FINANCE", sees=("Invoice.id",), elsewhere=LIST),
    "invoices/<uuid:invoice_id>/": Address(PAGE, "FINANCE", ids=_INVOICE, sees=("InvoiceLine.description",)),
    "invoices/<uuid:invoice_id>.csv": Address(
        PAGE, "FINANCE", ids=_INVOICE, sees=("Conversation.template",), changes=(Entry,)
    ),
    "invoices/<uuid:invoice_id>.pdf": Address(PAGE, "FINANCE", ids=_INVOICE, sees=("Invoice.buyer",), changes=(Entry,)),
    "invoices/<uuid:invoice_id>.xml": Address(PAGE, "FINANCE", ids=_INVOICE, sees=("Invoice.buyer",), changes=(Entry,)),
    "invoices/<uuid:invoice_id>/lines/<int:position>/": Address(
        PAGE, "FINANCE", ids=_INVOICE | {"position": lambda party: 1}, sees=("Conversation.template",)
    ),
    "single-sign-on/": Address(
        PAGE, "ADMIN", sees=("SignOn.issuer", "GroupRole.group"), elsewhere=frozenset({200, 422})
    ),
    "sign-in/provider/": Address(
        OPEN, nothing="sends on where a provider is on (tests/accounts/test_sign_on.py)", elsewhere=frozenset({302})
    ),
    "sign-in/provider/back/": Address(OPEN, nothing="the way back from there", elsewhere=frozenset({302})),
    "account/connect/": Address(PAGE, nothing="sends on where a provider is on", elsewhere=frozenset({302})),
    "api/v1/messages": Address(
        API,
        "messages:send",
        method="POST",
        body=lambda party: {
            "threadId": str(party.rows[Thread].id),
            "text": "Goedemorgen",
            "replyToMessageId": str(party.rows[Message].id),
        },
        changes=(Message, OutboxItem),
    ),
    "api/v1/messages/<uuid:message_id>": Address(
        API, "messages:read", ids={"message_id": Message}, sees=("Message.text", "Message.content")
    ),
    "api/v1/messages/<uuid:message_id>/_choose": Address(
        API,
        "messages:send",
        method="POST",
        ids={"message_id": undecided},
        body=lambda party: {"choice": "LEAVE"},
        changes=(UncertainChoice,),
        elsewhere=frozenset({400, 404}),  # 400: asked without a choice
    ),
    "api/v1/uncertain-messages": Address(API, "messages:read", sees=("Message.text", "Message.id"), elsewhere=LIST),
    "api/v1/media": Address(
        API,
        "messages:send",
        method="POST",
        body=lambda party: {"a": party.text("uploaded")},
        changes=(Medium, Blob),
        elsewhere=frozenset({201}),  # a file of its own
    ),
    "api/v1/media/<uuid:medium_id>": Address(
        API, "messages:read", ids={"medium_id": Medium}, sees=("Medium.filename", "Medium.id")
    ),
    "api/v1/media/<uuid:medium_id>/content": Address(
        API, "messages:read", ids={"medium_id": Medium}, sees=("Medium.filename",), changes=(Entry,)
    ),
    "api/v1/threads": Address(API, "messages:read", sees=("Contact.profile_name", "Thread.id"), elsewhere=LIST),
    "api/v1/threads/_search": Address(
        API,
        "messages:read",
        method="POST",
        body=lambda party: {"phoneNumber": f"+{party.rows[Contact].wa_id}"},
        sees=("Contact.bsuid", "Contact.profile_name"),
        elsewhere=LIST,
    ),
    "api/v1/consents": Address(
        API,
        "messages:send",
        method="POST",
        body=lambda party: {
            "recipient": {"bsuid": party.rows[Contact].bsuid},
            "word": "OPT_OUT",
            "how": "Aan de balie",
            "saidAt": "2026-03-01T10:00:00Z",
        },
        changes=(Consent,),
        elsewhere=frozenset({201, 404}),  # 201: of a contact of its own, of whom it knows nothing else
    ),
    "api/v1/consents/_search": Address(
        API,
        "messages:read",
        method="POST",
        body=lambda party: {"phoneNumber": f"+{party.rows[Contact].wa_id}"},
        sees=("Consent.how", "Consent.evidence"),
        elsewhere=LIST,
    ),
    "api/v1/threads/<uuid:thread_id>": Address(API, "messages:read", ids=_THREAD, sees=("Contact.wa_id",)),
    "api/v1/threads/<uuid:thread_id>/_read": Address(
        API, "messages:send", method="POST", ids=_THREAD, changes=(Thread,)
    ),
    "api/v1/threads/<uuid:thread_id>/_typing": Address(
        API, "messages:send", method="POST", ids=_THREAD, changes=(Thread,)
    ),
    "api/v1/threads/<uuid:thread_id>/messages": Address(
        API, "messages:read", ids=_THREAD, sees=("Message.text", "Message.id")
    ),
    "api/v1/templates": Address(API, "templates:read", sees=("Template.body", "Template.parameters"), elsewhere=LIST),
    "api/v1/templates/<uuid:template_id>": Address(
        API, "templates:read", ids={"template_id": Template}, sees=("Template.body",)
    ),
    "api/v1/usage": Address(API, "usage:read", sees=("Conversation.category",), elsewhere=LIST),
}

OF_THE_CONSOLE = EVERY_HOST | {
    "overview/": Address(PAGE, "BSP_SUPPORT", sees=("Trouble.detail",)),
    "drafts/": Address(PAGE, "BSP_ONBOARDING", sees=("DraftReview.name",)),
    "drafts/<uuid:review_id>/": Address(
        PAGE,
        "BSP_ONBOARDING",
        ids={"review_id": DraftReview},
        sees=("DraftReview.name", "DraftReview.asked_by"),
        elsewhere=_MISTAKEN,
    ),
    "elections/": Address(PAGE, "BSP_ONBOARDING", sees=("ElectionPeriod.name",), elsewhere=_MISTAKEN),
    "elections/<uuid:period_id>/lift/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"period_id": ElectionPeriod},
        changes=(ElectionPeriod,),
        elsewhere=frozenset({302, 404}),
    ),
    "municipalities/": Address(PAGE, "BSP_SUPPORT", sees=("Number.display_phone_number",)),
    "municipalities/<slug:schema_name>/": Address(
        PAGE,
        "BSP_SUPPORT",
        ids={"schema_name": lambda party: party.schema},
        sees=("Number.display_phone_number", "Template.name"),
        console_shows=("Template.name",),
    ),
    "municipalities/<slug:schema_name>/enter/": Address(
        PAGE,
        "BSP_SUPPORT",
        ids={"schema_name": lambda party: party.schema},
        nothing="asks why one must go in (tests/web/test_entries.py)",
        elsewhere=_MISTAKEN,
    ),
    "entries/": Address(PAGE, "BSP_SUPPORT", sees=("BreakGlass.employee_name", "BreakGlass.reason")),
    "entries/<uuid:entry_id>/hand-over/": Address(
        PAGE,
        "BSP_SUPPORT",
        method="POST",
        ids={"entry_id": BreakGlass},
        nothing="it is a colleague's entry",
        answered=frozenset({404}),
    ),
    "entries/<uuid:entry_id>/end/": Address(
        PAGE,
        "BSP_SUPPORT",
        method="POST",
        ids={"entry_id": BreakGlass},
        nothing="it is a colleague's entry",
        answered=frozenset({404}),
    ),
    "troubles/": Address(PAGE, "BSP_SUPPORT", nothing="no number is in trouble"),
    "onboarding/": Address(
        PAGE, "BSP_ONBOARDING", query=lambda party: "q=e", nothing="lists the register, and who is not live yet"
    ),
    "onboarding/changes/<uuid:change_id>/": Address(
        PAGE,
        "BSP_ONBOARDING",
        ids={"change_id": DeclarationChange},
        sees=("DeclarationChange.signatory_name", "DeclarationChange.asked_by_name"),
    ),
    "onboarding/changes/<uuid:change_id>/decide/": Address(
        PAGE,
        "BSP_OPERATOR",
        method="POST",
        ids={"change_id": DeclarationChange},
        form=lambda party: {"decision": "reject", "reason": "Te ruim"},
        changes=(DeclarationChange,),
        in_their_trail=True,
        mails_them=True,
        elsewhere=frozenset({302, 404, 422}),
    ),
    "onboarding/begin/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        form=lambda party: {"cbs_code": party.municipality.cbs_code if party.municipality else ""},
        nothing="sends on to the onboarding that there is",
        elsewhere=frozenset({302, 404}),
    ),
    "onboarding/check/<slug:part>/<slug:name>/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"part": lambda party: "organisation", "name": lambda party: "oin"},
        form=lambda party: {"oin": "1"},
        nothing="says what is wrong with what was typed",
    ),
    "onboarding/<uuid:onboarding_id>/": Address(
        PAGE, "BSP_ONBOARDING", ids={"onboarding_id": Onboarding}, sees=("StageMove.reason",)
    ),
    "onboarding/<uuid:onboarding_id>/part/<slug:part>/": Address(
        PAGE,
        "BSP_ONBOARDING",
        ids={"onboarding_id": Onboarding, "part": lambda party: "organisation"},
        sees=("ApplicationVersion.values",),
        elsewhere=frozenset({404, 409, 422}),  # who is live fills in nothing more
    ),
    "onboarding/<uuid:onboarding_id>/application.pdf": Address(
        PAGE, "BSP_ONBOARDING", ids={"onboarding_id": Onboarding}, nothing="draws what is filled in (test_signing.py)"
    ),
    "onboarding/<uuid:onboarding_id>/sign/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"onboarding_id": Onboarding},
        nothing="takes a file that nobody sends here",
        elsewhere=frozenset({302, 404}),
    ),
    "onboarding/<uuid:onboarding_id>/signed.pdf": Address(
        PAGE, "BSP_ONBOARDING", ids={"onboarding_id": Onboarding}, nothing="gives bytes that stand encrypted in the row"
    ),
    "onboarding/<uuid:onboarding_id>/links/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"onboarding_id": Onboarding},
        form=lambda party: {"name": "Sanne"},
        changes=(Entry,),
        elsewhere=frozenset({201, 302, 404}),
    ),
    "onboarding/<uuid:onboarding_id>/links/<uuid:link_id>/end/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"onboarding_id": Onboarding, "link_id": ApplicationLink},
        changes=(ApplicationLink,),
        elsewhere=frozenset({302, 404}),
    ),
    "onboarding/<uuid:onboarding_id>/move/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"onboarding_id": Onboarding},
        form=lambda party: {"to": "DECLARED", "seen": "LIVE"},
        nothing="refuses a move that there is not",
        elsewhere=frozenset({302, 404}),
    ),
    "onboarding/<uuid:onboarding_id>/decide/<slug:to>/": Address(
        PAGE,
        "BSP_OPERATOR",
        method="POST",
        ids={"onboarding_id": Onboarding, "to": lambda party: "SUSPENDED"},
        form=lambda party: {"seen": "LIVE", "reason": "Iets nagaan"},
        changes=(Onboarding, Municipality),
        in_their_trail=True,
        mails_them=True,
        elsewhere=frozenset({302, 404, 422}),
    ),
    "onboarding/<uuid:onboarding_id>/connect/": Address(
        PAGE, "BSP_ONBOARDING", ids={"onboarding_id": Onboarding}, sees=("ConnectionStep.evidence",)
    ),
    "onboarding/<uuid:onboarding_id>/connect/signup/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"onboarding_id": Onboarding},
        nothing="takes no signup of who is live",
        elsewhere=frozenset({302, 404}),
    ),
    "onboarding/<uuid:onboarding_id>/connect/by-hand/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"onboarding_id": Onboarding},
        nothing="takes over no account of who is live",
        elsewhere=frozenset({302, 404}),
    ),
    "onboarding/<uuid:onboarding_id>/connect/step/<slug:step>/": Address(
        PAGE,
        "BSP_ONBOARDING",
        method="POST",
        ids={"onboarding_id": Onboarding, "step": lambda party: "subscribe"},
        nothing="takes no step of who is live",
        elsewhere=frozenset({302, 404}),
    ),
    "application/": Address(OPEN, nothing="asks for the secret of a link", elsewhere=LIST),
    "application/fill/": Address(OPEN, nothing="sends on who came over no link", elsewhere=frozenset({302})),
    "application/fill/<slug:part>/": Address(
        OPEN,
        ids={"part": lambda party: "organisation"},
        nothing="sends on who came over no link",
        elsewhere=frozenset({302}),
    ),
    "application/check/<slug:part>/<slug:name>/": Address(
        OPEN,
        method="POST",
        ids={"part": lambda party: "organisation", "name": lambda party: "oin"},
        nothing="sends on who came over no link",
        elsewhere=frozenset({302}),
    ),
    "application/application.pdf": Address(OPEN, nothing="sends on who came over no link", elsewhere=frozenset({302})),
    "application/sign/": Address(
        OPEN, method="POST", nothing="sends on who came over no link", elsewhere=frozenset({302})
    ),
    "application/leave/": Address(OPEN, method="POST", nothing="forgets a link", elsewhere=frozenset({302})),
    "flow/": Address(PAGE, "BSP_OPERATOR", sees=("InboxFigures.dead",)),
    # Why it could not be applied is said in our own words; what is in it is masked.
    "flow/dead/<slug:schema_name>/": Address(
        PAGE,
        "BSP_OPERATOR",
        ids={"schema_name": lambda party: party.schema},
        sees=("InboxEvent.reason",),
        console_shows=("InboxEvent.reason",),
    ),
    "flow/dead/<slug:schema_name>/<int:event_id>/": Address(
        PAGE,
        "BSP_OPERATOR",
        ids={"schema_name": lambda party: party.schema, "event_id": InboxEvent},
        sees=("InboxEvent.reason",),
        console_shows=("InboxEvent.reason",),
    ),
    "flow/replay/": Address(
        PAGE, "BSP_OPERATOR", query=lambda party: f"schema={party.schema}", nothing="it counts, and asks whether to"
    ),
    "flow/replays/<uuid:replay_id>/": Address(
        PAGE, "BSP_OPERATOR", ids={"replay_id": Replay}, sees=("Replay.asked_by_name",)
    ),
    "invoices/": Address(PAGE, "BSP_FINANCE", sees=("Invoice.id",)),
    "invoices/<uuid:invoice_id>/": Address(PAGE, "BSP_FINANCE", ids=_INVOICE, sees=("InvoiceLine.description",)),
    "invoices/<uuid:invoice_id>.csv": Address(PAGE, "BSP_FINANCE", ids=_INVOICE, sees=("Conversation.template",)),
    "invoices/<uuid:invoice_id>.pdf": Address(PAGE, "BSP_FINANCE", ids=_INVOICE, sees=("Invoice.buyer",)),
    "invoices/<uuid:invoice_id>.xml": Address(PAGE, "BSP_FINANCE", ids=_INVOICE, sees=("Invoice.buyer",)),
    "invoices/<uuid:invoice_id>/mail/": Address(
        PAGE,
        "BSP_FINANCE",
        method="POST",
        ids=_INVOICE,
        form=lambda party: {},
        nothing="no mail is sent here: it says so",
        elsewhere=frozenset({302, 404}),
    ),
    "invoices/<uuid:invoice_id>/collect/": Address(
        PAGE,
        "BSP_FINANCE",
        method="POST",
        ids=_INVOICE,
        form=lambda party: {},
        nothing="it is not stopped: it says so",
        elsewhere=frozenset({302, 404}),
    ),
    "webhooks/stripe": Address(
        OPEN,
        method="POST",
        form=lambda party: {},
        nothing="takes what Stripe signed; nothing where nobody collects (tests/billing/test_collecting.py)",
        answered=frozenset({404}),
    ),
    "invoices/documents/": Address(PAGE, "BSP_FINANCE", nothing="asks for which months; gives them all in one file"),
    "invoices/<uuid:invoice_id>/lines/<int:position>/": Address(
        PAGE, "BSP_FINANCE", ids=_INVOICE | {"position": lambda party: 1}, sees=("Conversation.template",)
    ),
    "invoices/month.csv": Address(
        PAGE, "BSP_FINANCE", query=lambda party: "month=2026-03", sees=("InvoiceLine.description",)
    ),
    "invoices/many/<slug:step>/": Address(
        PAGE,
        "BSP_FINANCE",
        ids={"step": lambda party: "approve"},
        query=lambda party: "month=2026-03",
        nothing="counts what waits for a step, and asks",
    ),
    "invoices/<uuid:invoice_id>/step/": Address(
        PAGE,
        "BSP_FINANCE",
        method="POST",
        ids=_INVOICE,
        form=lambda party: {"step": "approve"},
        nothing="it is final: no step is taken",
        elsewhere=frozenset({302, 404}),
    ),
    "invoices/<uuid:invoice_id>/credit/": Address(
        PAGE, "BSP_FINANCE", ids=_INVOICE, sees=("InvoiceLine.description",), elsewhere=_MISTAKEN
    ),
    "invoices/<uuid:invoice_id>/payment/": Address(
        PAGE, "BSP_FINANCE", ids=_INVOICE, sees=("Invoice.number",), elsewhere=_MISTAKEN
    ),
    "month-so-far/": Address(PAGE, "BSP_FINANCE", nothing="the party used nothing this month"),
    "adjustments/": Address(PAGE, "BSP_FINANCE", sees=("Adjustment.description",), elsewhere=_MISTAKEN),
    "adjustments/<int:adjustment_id>/back/": Address(
        PAGE,
        "BSP_FINANCE",
        method="POST",
        ids={"adjustment_id": Adjustment},
        nothing="it was taken back already",
        elsewhere=frozenset({302, 404}),
    ),
    "margin/": Address(
        PAGE, "BSP_FINANCE", query=lambda party: "month=2026-03", nothing="names and sums of all, no ids"
    ),
    "unpaid/": Address(PAGE, "BSP_FINANCE", sees=("Invoice.id",)),
    "rate-cards/": Address(PAGE, "BSP_FINANCE", nothing="the BSP's prices"),
    "rate-cards/new/": Address(PAGE, "BSP_FINANCE", nothing="an empty form", elsewhere=_MISTAKEN),
    "buyers/": Address(PAGE, "BSP_FINANCE", sees=("BillingProfile.order_reference",)),
    "buyers/<slug:schema_name>/": Address(
        PAGE,
        "BSP_FINANCE",
        ids={"schema_name": lambda party: party.schema},
        sees=("BillingProfile.legal_name",),
        elsewhere=_MISTAKEN,
    ),
    "api/v1/municipalities": Address(API, "municipalities:read", sees=("Municipality.id", "Number.waba_id")),
    "api/v1/municipalities/<uuid:municipality_id>": Address(
        API, "municipalities:read", ids={"municipality_id": Municipality}, sees=("Number.phone_number_id",)
    ),
    "api/v1/usage": Address(
        API,
        "usage:read",
        query=lambda party: f"municipalityId={party.rows[Municipality].id}",
        sees=("Conversation.category",),
    ),
    "api/v1/invoices": Address(API, "invoices:read", sees=("Invoice.id",)),
    "api/v1/invoices/<uuid:invoice_id>": Address(API, "invoices:read", ids=_INVOICE, sees=("InvoiceLine.description",)),
}

# What the web process serves beside Django (config/doors.py), and the test that asks it.
BESIDE_DJANGO = {
    "/webhooks/whatsapp": "test_webhooks.py",
    "/healthz": "test_live.py",
    "/readyz": "test_live.py",
    "/static/": "test_live.py",
    "/live/": "test_live.py",
}
