"""The first steps at Meta: an account and a number, by Embedded Signup or by hand, and the tenant made for them.

What the browser says of a signup is a claim. The code is exchanged within its 30 seconds, the token kept before it is
used, and then Meta itself says which accounts it opens and which numbers are in them.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DataError, IntegrityError

from audit.record import Actor
from tenants.models import Connection, ConnectionStep, Number
from tenants.onboarding.application import load
from tenants.onboarding.connecting import Evidence, call
from tenants.onboarding.models import Part, sealed
from tenants.onboarding.moves import MoveRefused
from tenants.onboarding.steps import Claim, State, StepFailed, StepRefused, claim_step, settle_step
from tenants.provisioning import DifferentMunicipality, UnknownMunicipality, create
from tenants.register import BadSchemaName, schema_name_for
from whatsapp.business import BusinessAPI, NumberState

CODE_LETTERS, EVENT_LETTERS, TOKEN_LETTERS = 2000, 5000, 2000
BUSINESS_APP = "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING"
FINISHED = frozenset(
    {"FINISH", "FINISH_ONLY_WABA", BUSINESS_APP, "FINISH_OBO_MIGRATION", "FINISH_GRANT_ONLY_API_ACCESS"}
)
_ID = re.compile(r"[0-9]{5,40}")
_SECRET = re.compile(r"[\x21-\x7e]+")
# What Meta's support asks for when its window failed; not its message, which may hold anything.
_OF_A_FAILURE = {"CANCEL": ("current_step",), "ERROR": ("error_code", "session_id")}
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]{1,80}")


@dataclass(frozen=True, slots=True)
class Signup:
    """What a browser says of a signup: nothing of it is believed before Meta says the same."""

    event: str
    waba_id: str
    phone_number_id: str
    business_id: str


def read_event(*, said: str) -> Signup:
    """Read the message that the browser got.  Raises StepFailed: event_unreadable, cancelled, signup_error."""
    try:
        message = json.loads(said) if len(said) <= EVENT_LETTERS else None
    except json.JSONDecodeError:
        message = None
    if not isinstance(message, dict) or message.get("type") != "WA_EMBEDDED_SIGNUP":
        raise StepFailed("event_unreadable")
    event, data = message.get("event"), message.get("data")
    if event in ("CANCEL", "ERROR"):
        raise _left(data if isinstance(data, dict) else {}, is_error=event == "ERROR")
    if event not in FINISHED or not isinstance(data, dict):
        raise StepFailed("event_unreadable")
    return Signup(
        event=str(event),
        waba_id=_meta_id(data.get("waba_id")),
        phone_number_id=_meta_id(data.get("phone_number_id")),
        business_id=_meta_id(data.get("business_id")),
    )


def connect_by_signup(*, onboarding_id: UUID, code: str, said: str, actor: Actor, at: datetime) -> ConnectionStep:
    """Take over what a finished Embedded Signup made, then confirm it with Meta; return the step.

    code: of the pop-up, good for 30 seconds and once; empty: it was left before its end, which is written down unless
    another was taken over before. Raises StepRefused.
    """
    if not code and ConnectionStep.objects.filter(onboarding=onboarding_id, step="SIGNUP", state=State.DONE).exists():
        raise StepRefused("kept")
    claim = claim_step(onboarding_id=onboarding_id, step="SIGNUP", actor=actor, at=at)

    def take() -> Evidence:
        signup = read_event(said=said)
        if not signup.waba_id:
            raise StepFailed("no_account")
        if len(code) > CODE_LETTERS or not _SECRET.fullmatch(code):
            raise StepFailed("no_code")

        async def exchange(api: BusinessAPI) -> Evidence:
            app = {"app_id": settings.META_APP_ID, "app_secret": settings.META_APP_SECRET}
            return {"token": await api.exchange_code(code=code, **app)}

        token = call(work=exchange)["token"]
        _keep(
            claim,
            way=Connection.Way.EMBEDDED_SIGNUP,
            waba_id=signup.waba_id,
            phone_number_id=signup.phone_number_id,
            business_id=signup.business_id,
            in_business_app=signup.event == BUSINESS_APP,
            access_token_encrypted=sealed(token),
        )
        return _confirm(claim)

    return _settled(claim, take)


def connect_by_hand(
    *, onboarding_id: UUID, waba_id: str, phone_number_id: str, token: str, actor: Actor, at: datetime
) -> ConnectionStep:
    """Take over an account and number that were shared with the BSP at Meta, then confirm them; return the step.

    token: of the municipality's system user; empty: the BSP's own is used. Raises StepRefused.
    """
    claim = claim_step(onboarding_id=onboarding_id, step="SIGNUP", actor=actor, at=at)

    def take() -> Evidence:
        if not _meta_id(waba_id) or not _meta_id(phone_number_id):
            raise StepFailed("ids")
        if token and (len(token) > TOKEN_LETTERS or not _SECRET.fullmatch(token)):
            raise StepFailed("token")
        _keep(
            claim,
            way=Connection.Way.MANUAL,
            waba_id=waba_id,
            phone_number_id=phone_number_id,
            business_id="",
            in_business_app=False,
            access_token_encrypted=sealed(token) if token else None,
        )
        return _confirm(claim)

    return _settled(claim, take)


def confirm_again(*, onboarding_id: UUID, actor: Actor, at: datetime) -> ConnectionStep:
    """Ask Meta once more of what was taken over before, without another signup; return the step.

    Raises StepRefused.
    """
    claim = claim_step(onboarding_id=onboarding_id, step="SIGNUP", actor=actor, at=at)
    return _settled(claim, lambda: _confirm(claim))


def make_tenant(*, onboarding_id: UUID, actor: Actor, at: datetime) -> ConnectionStep:
    """Make the municipality's schema, host and all that is in it, and move it to CONNECTED; return the step.

    One transaction makes and moves: a process that is killed leaves all of it or nothing. Raises StepRefused.
    """
    claim = claim_step(onboarding_id=onboarding_id, step="TENANT", actor=actor, at=at)
    return _settled(claim, lambda: _make(claim))


def _make(claim: Claim) -> Evidence:
    onboarding, connection = claim.onboarding, Connection.objects.get(onboarding=claim.onboarding)
    application = load(onboarding_id=onboarding.id)
    # The application may have been taken back, changed and approved anew since the signup.
    if connection.display_phone_number != application.values(Part.CONTACTS).get("whatsapp_number"):
        raise StepFailed("another_number", phone_number_id=connection.phone_number_id)
    # None of who was approved before it was asked: then its admin writes the notice, and this step says so.
    privacy_page = application.values(Part.PRIVACY).get("privacy_page") or None
    try:
        made = create(
            schema_name=schema_name_for(name=onboarding.name),
            name=onboarding.name,
            cbs_code=onboarding.cbs_code,
            waba_id=connection.waba_id,
            phone_number_id=connection.phone_number_id,
            display_phone_number=connection.display_phone_number,
            access_token=connection.access_token() or settings.META_SYSTEM_TOKEN,  # no lane sends without one
            admin_email=application.values(Part.CONTACTS).get("admin_email") or None,
            privacy_page=privacy_page,
            purposes=[str(purpose) for purpose in application.purposes()],
            onboarding_id=onboarding.id,
            actor=claim.actor,
            at=claim.at,
        )
    except (BadSchemaName, UnknownMunicipality):
        raise StepFailed("not_in_register") from None
    except DifferentMunicipality:
        raise StepFailed("taken") from None
    except MoveRefused as refused:
        raise StepFailed(refused.code) from None
    except (DataError, IntegrityError):
        raise StepFailed("form") from None
    return {
        "schema": made.municipality.schema_name,
        "host": made.host,
        "privacy_notice": privacy_page is not None,
        "was_there": not made.created,
    }


def _settled(claim: Claim, take: Any) -> ConnectionStep:
    try:
        evidence = take()
    except StepFailed as failed:
        settle_step(claim=claim, state=State.FAILED, outcome=failed.code, evidence=failed.evidence)
    else:
        settle_step(claim=claim, state=State.DONE, outcome="done", evidence=evidence)
    return ConnectionStep.objects.get(onboarding=claim.onboarding, step=claim.step)


def _keep(claim: Claim, **values: Any) -> None:
    Connection.objects.update_or_create(onboarding=claim.onboarding, defaults=values)


def _confirm(claim: Claim) -> Evidence:
    """Hold what is claimed against what Meta says, and keep the number as Meta has it."""
    connection = Connection.objects.filter(onboarding=claim.onboarding).first()
    if connection is None or not connection.waba_id:
        raise StepFailed("nothing_to_confirm")
    own = connection.access_token()

    async def ask(api: BusinessAPI) -> Evidence:
        if own is not None:
            app = {"app_id": settings.META_APP_ID, "app_secret": settings.META_APP_SECRET}
            if connection.waba_id not in await api.accounts_of_token(token=own, **app):
                raise StepFailed("token_opens_another", waba_id=connection.waba_id)
        token = own or settings.META_SYSTEM_TOKEN
        return {"numbers": await api.numbers(waba_id=connection.waba_id, token=token)}

    number = _number_of(connection, call(work=ask)["numbers"])
    display = "+" + re.sub(r"[^0-9]", "", number.display_phone_number)
    wanted = load(onboarding_id=claim.onboarding.id).values(Part.CONTACTS).get("whatsapp_number", "")
    if display != wanted:
        raise StepFailed("another_number", phone_number_id=number.phone_number_id)
    if Number.objects.filter(phone_number_id=number.phone_number_id, closed_at=None).exists():
        raise StepFailed("number_taken", phone_number_id=number.phone_number_id)
    _keep(
        claim,
        phone_number_id=number.phone_number_id,
        display_phone_number=display,
        in_business_app=number.in_business_app,
    )
    return {
        "waba_id": connection.waba_id,
        "phone_number_id": number.phone_number_id,
        "status": number.status,
        "code_verification_status": number.code_verification_status,
    }


def _left(data: dict[str, Any], *, is_error: bool) -> StepFailed:
    """Return why a window was left. Meta tells of an error by either event, as its version is."""
    is_error = is_error or "error_code" in data or "error_message" in data
    told = {name: str(data[name]) for name in _OF_A_FAILURE["ERROR" if is_error else "CANCEL"] if name in data}
    plain = {name: value for name, value in told.items() if _PLAIN.fullmatch(value)}
    return StepFailed("signup_error" if is_error else "cancelled", **plain)


def _number_of(connection: Connection, numbers: tuple[NumberState, ...]) -> NumberState:
    """Return the number that was claimed, or the only one of the account: a flow may end without naming it."""
    if not numbers:
        raise StepFailed("no_number", waba_id=connection.waba_id)
    if connection.phone_number_id:
        found = [each for each in numbers if each.phone_number_id == connection.phone_number_id]
        if not found:
            raise StepFailed("number_of_another", phone_number_id=connection.phone_number_id)
        return found[0]
    if len(numbers) > 1:
        raise StepFailed("which_number", numbers=len(numbers))
    return numbers[0]


def _meta_id(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""
