"""Links with which a municipality fills in its part without an account.

The secret stands in the address behind a `#`, which browsers send to nobody: not to us, no proxy, no log. The page
hands it over in a form, once; from then on the browser's session names the link. Kept is its digest alone.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit.record import Actor, record
from tenants.models import ApplicationLink, Onboarding

SECRET_BYTES = 32
GOOD_FOR = timedelta(days=14)
NAME_LETTERS = 200


class NameMissing(Exception):
    """A link is given to somebody, by name."""


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A link and its secret, which is shown once."""

    link: ApplicationLink
    secret: str


@transaction.atomic
def make_link(*, onboarding: Onboarding, name: str, actor: Actor, at: datetime) -> MadeLink:
    """Make a link for somebody at the municipality.  Raises NameMissing."""
    name = name.replace("\0", "").strip()
    if not name or len(name) > NAME_LETTERS:
        raise NameMissing
    secret = secrets.token_urlsafe(SECRET_BYTES)
    link = ApplicationLink.objects.create(
        onboarding=onboarding,
        digest=_digest(secret),
        name=name,
        made_at=at,
        made_by_id=actor.id,
        made_by_name=actor.name,
        expires_at=at + GOOD_FOR,
    )
    details = {"link": str(link.id)}
    record(action="onboarding.link", actor=actor, at=at, subject=f"onboarding {onboarding.cbs_code}", details=details)
    return MadeLink(link=link, secret=secret)


@transaction.atomic
def open_link(*, secret: str, at: datetime) -> ApplicationLink | None:
    """Return the link that a secret opens, and note that it was used; None: there is none, or no longer."""
    link = _good(at=at).filter(digest=_digest(secret)).first()
    if link is None:
        return None
    ApplicationLink.objects.filter(id=link.id).update(used_at=at)
    subject = f"onboarding {link.onboarding.cbs_code}"
    record(action="onboarding.link_used", actor=actor_of(link=link), at=at, subject=subject)
    return link


def find_link(*, link_id: UUID, at: datetime) -> ApplicationLink | None:
    """Return a link that is still good, or None."""
    return _good(at=at).filter(id=link_id).first()


@transaction.atomic
def revoke_link(*, onboarding: Onboarding, link_id: UUID, actor: Actor, at: datetime) -> bool:
    """End a link at once; return whether it was good until now."""
    ended = _good(at=at).filter(id=link_id, onboarding=onboarding).update(revoked_at=at)
    if ended:
        subject, details = f"onboarding {onboarding.cbs_code}", {"link": str(link_id)}
        record(action="onboarding.link_end", actor=actor, at=at, subject=subject, details=details)
    return bool(ended)


def actor_of(*, link: ApplicationLink) -> Actor:
    """Return who acts over a link: whom it was given to."""
    return Actor(schema="public", id=str(link.id), name=link.name)


def _good(*, at: datetime) -> QuerySet[ApplicationLink]:
    links = ApplicationLink.objects.select_related("onboarding").filter(revoked_at=None, expires_at__gt=at)
    return links.order_by()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
