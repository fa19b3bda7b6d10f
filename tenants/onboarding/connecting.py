"""Connecting an approved municipality to Meta, step by step; each step looks at what Meta has before it asks for more.

No call runs inside a transaction: a step is claimed (steps.py), called, and settled. So a process that is killed leaves
a step that is taken again, and finds its own work. Tokens and PINs are kept encrypted before they are used.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from audit.record import Actor
from tenants import number_reading
from tenants.models import Connection, ConnectionStep, Number, NumberHealth
from tenants.onboarding.application import Application, load
from tenants.onboarding.models import Part, sealed
from tenants.onboarding.steps import Claim, State, StepFailed, StepRefused, claim_step, settle_step
from whatsapp.business import BusinessAPI
from whatsapp.client import MetaRefused, MetaUnreachable, open_session

EU = "DE"  # Meta's region for the whole of the EU
GOVERNMENT = "GOVT"  # Meta's word for the sector, in a profile
REGISTERED_STATES = frozenset({"CONNECTED", "FLAGGED", "RESTRICTED"})
INSTALLED_EVENTS = frozenset({"PARTNER_APP_INSTALLED", "ACCOUNT_RECONNECTED"})
BY_HAND = frozenset({"GOVERNMENT_FORM", "GOVERNMENT_APPROVAL"})  # a person does it at Meta, and says so here
REFERENCE_LETTERS = 200


@dataclass(frozen=True, slots=True)
class Work:
    """What a step works with."""

    api: BusinessAPI
    claim: Claim
    application: Application
    connection: Connection
    token: str
    given: Mapping[str, str] = field(default_factory=dict)


Evidence = dict[str, Any]


def take_step(
    *, onboarding_id: UUID, step: str, given: Mapping[str, str], actor: Actor, at: datetime
) -> ConnectionStep:
    """Take one step after the signup, and return what came of it. Safe to repeat.

    given: what somebody typed for it. Raises StepRefused: it cannot be taken now.
    """
    if step not in {*_CALLS, *BY_HAND, "INSTALLED"}:
        raise StepRefused("not_now", step=step)
    claim = claim_step(onboarding_id=onboarding_id, step=step, actor=actor, at=at)
    connection = Connection.objects.get(onboarding=claim.onboarding)
    try:
        if step in BY_HAND:
            evidence = _by_hand(given, at)
        elif step == "INSTALLED":
            evidence = _installed(connection)
        else:
            evidence = _run(claim, connection, given, _CALLS[step])
        if step == "READ_BACK":
            _tell(connection, evidence, at)
    except StepFailed as failed:
        settle_step(claim=claim, state=State.FAILED, outcome=failed.code, evidence=failed.evidence)
    else:
        settle_step(claim=claim, state=State.DONE, outcome="done", evidence=evidence)
    return ConnectionStep.objects.get(onboarding=claim.onboarding, step=step)


def call(*, work: Callable[[BusinessAPI], Awaitable[Evidence]]) -> Evidence:
    """Run calls on a session of their own.  Raises StepFailed: with Meta's code, or why there was no answer."""

    async def run() -> Evidence:
        async with open_session(connections=1) as session:
            return await work(
                BusinessAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
            )

    try:
        return asyncio.run(run())
    except MetaRefused as refused:
        raise StepFailed(f"meta_{refused.error.code}", trace=refused.error.fbtrace_id or "") from None
    except MetaUnreachable as unreachable:
        raise StepFailed("unreachable", reason=str(unreachable.reason)) from None


def _run(
    claim: Claim, connection: Connection, given: Mapping[str, str], step: Callable[[Work], Awaitable[Evidence]]
) -> Evidence:
    application = load(onboarding_id=claim.onboarding.id)
    token = connection.access_token() or settings.META_SYSTEM_TOKEN
    if claim.step == "REGISTER":
        _choose_pin(connection, given.get("pin", ""))
    return call(
        work=lambda api: step(
            Work(api=api, claim=claim, application=application, connection=connection, token=token, given=given)
        )
    )


def _choose_pin(connection: Connection, given: str) -> None:
    """Keep the PIN before it is used: what Meta took and we do not know would lock the number for good."""
    if given and not (given.isascii() and given.isdigit() and len(given) == 6):
        raise StepFailed("pin_form")
    if given or connection.pin() is None:
        connection.pin_encrypted = sealed(given or f"{secrets.randbelow(10**6):06d}")
        connection.save(update_fields=["pin_encrypted"])


async def _subscribe(work: Work) -> Evidence:
    waba_id, app_id = work.connection.waba_id, settings.META_APP_ID
    was_there = app_id in await work.api.subscribed_apps(waba_id=waba_id, token=work.token)
    if not was_there:
        await work.api.subscribe(waba_id=waba_id, token=work.token)
        if app_id not in await work.api.subscribed_apps(waba_id=waba_id, token=work.token):
            raise StepFailed("not_subscribed", waba_id=waba_id)
    return {"waba_id": waba_id, "was_there": was_there}


async def _share_credit(work: Work) -> Evidence:
    line, waba_id = settings.META_CREDIT_LINE_ID, work.connection.waba_id
    if not line:
        raise StepFailed("no_credit_line")
    system = settings.META_SYSTEM_TOKEN
    before = await work.api.account(waba_id=waba_id, token=system, fields="primary_funding_id")
    if before.get("primary_funding_id"):
        return {"funding_id": str(before["primary_funding_id"]), "was_there": True}
    allocation = await work.api.share_credit(credit_line_id=line, waba_id=waba_id, token=system)
    after = await work.api.account(waba_id=waba_id, token=system, fields="primary_funding_id")
    if not after.get("primary_funding_id"):
        raise StepFailed("no_credit_after_sharing", allocation_id=allocation)
    return {"funding_id": str(after["primary_funding_id"]), "allocation_id": allocation, "was_there": False}


async def _request_code(work: Work) -> Evidence:
    method = work.given.get("method", "")
    if method not in ("SMS", "VOICE"):
        raise StepFailed("method")
    phone_number_id = work.connection.phone_number_id
    number = await work.api.number(phone_number_id=phone_number_id, token=work.token)
    if number.code_verification_status != "VERIFIED":
        await work.api.request_code(phone_number_id=phone_number_id, token=work.token, method=method)
    return {"method": method}


async def _verify_code(work: Work) -> Evidence:
    code = work.given.get("code", "").replace("-", "").replace(" ", "")
    phone_number_id = work.connection.phone_number_id
    number = await work.api.number(phone_number_id=phone_number_id, token=work.token)
    if number.code_verification_status == "VERIFIED":
        return {"was_there": True}
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        raise StepFailed("code_form")
    try:
        await work.api.verify_code(phone_number_id=phone_number_id, token=work.token, code=code)
    except MetaRefused as refused:  # that the number is there was seen before: it is the code
        raise StepFailed("code_wrong", meta=refused.error.code, trace=refused.error.fbtrace_id or "") from None
    return {"was_there": False}


async def _choose_storage(work: Work) -> Evidence:
    phone_number_id = work.connection.phone_number_id
    if _is_in_eu(await work.api.storage(phone_number_id=phone_number_id, token=work.token)):
        return {"region": EU, "was_there": True}
    number = await work.api.number(phone_number_id=phone_number_id, token=work.token)
    if number.in_business_app:  # registered by the flow, and Meta has no door to deregister it
        raise StepFailed("in_business_app", status=number.status)
    if number.status in REGISTERED_STATES:
        raise StepFailed("registered_elsewhere", status=number.status)
    await work.api.set_storage(phone_number_id=phone_number_id, token=work.token, region=EU)
    if not _is_in_eu(await work.api.storage(phone_number_id=phone_number_id, token=work.token)):
        raise StepFailed("not_in_eu")
    return {"region": EU, "was_there": False}


def _is_in_eu(storage: Mapping[str, Any]) -> bool:
    return (storage.get("status"), storage.get("data_localization_region")) == ("IN_COUNTRY_STORAGE_ENABLED", EU)


async def _register(work: Work) -> Evidence:
    phone_number_id, pin = work.connection.phone_number_id, work.connection.pin()
    number = await work.api.number(phone_number_id=phone_number_id, token=work.token)
    was_there = number.status in REGISTERED_STATES
    if not was_there:
        if number.code_verification_status != "VERIFIED":
            raise StepFailed("number_not_verified", code_verification_status=number.code_verification_status)
        await work.api.register(phone_number_id=phone_number_id, token=work.token, pin=pin or "")
        number = await work.api.number(phone_number_id=phone_number_id, token=work.token)
    return {"status": number.status, "was_there": was_there}


async def _set_profile(work: Work) -> Evidence:
    organisation, contacts = work.application.values(Part.ORGANISATION), work.application.values(Part.CONTACTS)
    name = work.application.onboarding.name
    address = ", ".join(
        filter(
            None,
            (
                organisation.get("visiting_address"),
                organisation.get("visiting_postcode"),
                organisation.get("visiting_city"),
            ),
        )
    )
    profile = {
        "about": f"Gemeente {name}"[:139],
        "description": f"Stel uw vraag aan de gemeente {name}. Stuur geen burgerservicenummer of medische gegevens."[
            :512
        ],
        "address": address[:256],
        "email": contacts.get("contact_email", "")[:128],
        "vertical": GOVERNMENT,
    }
    filled = {key: value for key, value in profile.items() if value}
    there = await work.api.profile(phone_number_id=work.connection.phone_number_id, token=work.token)
    if all(there.get(key) == value for key, value in filled.items()):
        return {"fields": sorted(filled), "was_there": True}
    await work.api.set_profile(phone_number_id=work.connection.phone_number_id, token=work.token, profile=filled)
    return {"fields": sorted(filled), "was_there": False}


async def _read_back(work: Work) -> Evidence:
    number = await work.api.number(phone_number_id=work.connection.phone_number_id, token=work.token)
    said = {
        "status": number.status,
        "verified_name": number.verified_name,
        "name_status": number.name_status,
        "quality": number.quality,
        "messaging_limit": number.messaging_limit,
        "throughput": number.throughput,
        "in_business_app": number.in_business_app,
    }
    if number.status not in REGISTERED_STATES:
        raise StepFailed("not_registered", **said)
    return said


def _installed(connection: Connection) -> Evidence:
    """Find whether Meta told that our app is installed: that alone says, on its side, that the signup ended well."""
    row = NumberHealth.objects.filter(
        number__phone_number_id=connection.phone_number_id, number__closed_at=None
    ).first()
    told = row.connection if row is not None else ""
    if told not in INSTALLED_EVENTS:
        raise StepFailed("not_installed_yet", told=told)
    return {"event": told}


def _tell(connection: Connection, evidence: Mapping[str, Any], at: datetime) -> None:
    """Put what Meta said of the number beside it, where the pages show it."""
    Connection.objects.filter(id=connection.id).update(in_business_app=evidence["in_business_app"])
    number = Number.objects.get(phone_number_id=connection.phone_number_id, closed_at=None)
    number_reading.take_over(number=number, said=evidence, at=at)


def _by_hand(given: Mapping[str, str], at: datetime) -> Evidence:
    """Take down what a person did at Meta: on which day, and under which reference."""
    reference = given.get("reference", "").replace("\0", "").strip()
    try:
        day = date.fromisoformat(given.get("day", "").strip())
    except ValueError:
        raise StepFailed("day") from None
    if day > at.date():
        raise StepFailed("day_in_future")
    if not reference or len(reference) > REFERENCE_LETTERS:
        raise StepFailed("reference")
    return {"day": day.isoformat(), "reference": reference}


_CALLS: dict[str, Callable[[Work], Awaitable[Evidence]]] = {
    "SUBSCRIBE": _subscribe,
    "CREDIT": _share_credit,
    "REQUEST_CODE": _request_code,
    "VERIFY_CODE": _verify_code,
    "STORAGE": _choose_storage,
    "REGISTER": _register,
    "PROFILE": _set_profile,
    "READ_BACK": _read_back,
}
