"""A number's profile, as citizens see it above a conversation: kept at Meta alone, read and changed there.

Called outside any transaction. What was wanted is put on record before Meta is asked, and how it ended after: a process
that dies between the two leaves the first.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from audit.record import Actor, record
from tenants.models import Municipality, Number
from whatsapp.business import BusinessAPI
from whatsapp.outcomes import MetaRefused, MetaUnreachable
from whatsapp.transport import open_session

# Characters. Source: Meta, "Business profiles" (read 2026-11-22).
LONGEST = {"about": 139, "description": 512, "address": 256, "email": 128, "website": 256}


class UnfitProfile(Exception):
    """It cannot be so; `problems`: by field, a code."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(", ".join(sorted(problems)))
        self.problems = problems


class NoAccess(Exception):
    """Meta does not let us at this number: there is no token of it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What can be changed; each may be empty but about."""

    about: str = ""
    description: str = ""
    address: str = ""
    email: str = ""
    website: str = ""


def find_number(*, municipality: Municipality, phone_number_id: str) -> Number | None:
    """Return an open number of this municipality, or None."""
    return Number.objects.filter(municipality=municipality, closed_at=None, phone_number_id=phone_number_id).first()


def read(*, number: Number) -> Profile:
    """Return the profile that Meta has.  Raises NoAccess, MetaRefused, MetaUnreachable."""
    token = token_of(number)
    return _profile(asyncio.run(call(lambda api: api.profile(phone_number_id=number.phone_number_id, token=token))))


def change(*, number: Number, wanted: Profile, actor: Actor, at: datetime) -> None:
    """Put a profile in place of the one there is. Safe to repeat.

    Raises UnfitProfile, NoAccess: Meta was not asked. MetaRefused: nothing was changed. MetaUnreachable: nobody knows.
    """
    problems = _problems(wanted)
    if problems:
        raise UnfitProfile(problems)
    token, subject = token_of(number), f"number {number.phone_number_id}"
    body: dict[str, Any] = asdict(wanted)
    website = body.pop("website")
    body["websites"] = [website] if website else []
    record(action="number.profile", actor=actor, at=at, subject=subject, details={"about": wanted.about})
    try:
        asyncio.run(
            call(lambda api: api.set_profile(phone_number_id=number.phone_number_id, token=token, profile=body))
        )
    except (MetaRefused, MetaUnreachable):
        record(action="number.profile", actor=actor, at=at, subject=subject, outcome="FAILED")
        raise


async def call(ask: Callable[[BusinessAPI], Awaitable[Any]]) -> Any:
    """Ask Meta something on a session of its own."""
    async with open_session(connections=1) as session:
        return await ask(
            BusinessAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
        )


def token_of(number: Number) -> str:
    """Return what opens a number at Meta.  Raises NoAccess."""
    token = number.access_token()
    if token is None:
        raise NoAccess
    return token


def _profile(found: dict[str, Any]) -> Profile:
    websites = found.get("websites")
    first = websites[0] if isinstance(websites, list) and websites else ""
    texts = {name: str(found.get(name) or "") for name in ("about", "description", "address", "email")}
    return Profile(**texts, website=str(first))


def _problems(wanted: Profile) -> dict[str, str]:
    values = asdict(wanted)
    found = {name: "too_long" for name, most in LONGEST.items() if len(values[name]) > most}
    if not wanted.about:
        found["about"] = "missing"  # Meta takes no empty one
    if wanted.email and ("@" not in wanted.email[1:-1] or any(sign.isspace() for sign in wanted.email)):
        found["email"] = "no_address"
    if wanted.website and not _is_page(wanted.website):
        found["website"] = "no_page"
    return found


def _is_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and "." in (parts.hostname or "") and not any(sign.isspace() for sign in url)
