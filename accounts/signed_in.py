"""Where somebody is signed in: each session with its beginning, its address and its browser; ended one by one or all.

A session is known here by the digest of its key, as its own row is (accounts/sessions.py): allauth's list would keep
the key itself, with which anybody who reads the table, or a copy of it, could go on as that person.
"""

from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import SignedIn, User
from accounts.sessions import digest


def begin(*, user: User, session: SessionBase, ip: str, user_agent: str) -> SignedIn:
    """Remember where a session that has just begun is from."""
    if not session.session_key:
        session.create()
    return SignedIn.objects.create(
        user=user,
        session_id=digest(session.session_key or ""),
        begun_at=timezone.now(),
        ip=ip,
        user_agent=user_agent[: SignedIn.LONGEST_USER_AGENT],
    )


def places(*, user: User) -> list[SignedIn]:
    """Return where somebody is signed in, the latest first."""
    found = _open(user=user).order_by("-begun_at")
    return list(found)


def current(*, session: SessionBase) -> UUID | None:
    """Return the id of the session that asks, or None: it began before they were kept."""
    return SignedIn.objects.filter(session_id=digest(session.session_key or "")).values_list("id", flat=True).first()


def end(*, user: User, place_id: UUID) -> bool:
    """End one session of somebody; return whether there was one."""
    return _delete(_open(user=user).filter(id=place_id)) > 0


def end_others(*, user: User, session: SessionBase) -> int:
    """End all sessions of somebody but the one that asks; return how many there were."""
    return _delete(_open(user=user).exclude(session_id=digest(session.session_key or "")))


def end_all(*, user: User) -> int:
    """End all sessions of somebody; return how many there were."""
    return _delete(_open(user=user))


def _open(*, user: User) -> QuerySet[SignedIn]:
    return SignedIn.objects.filter(user=user, session__expire_date__gt=timezone.now())


def _delete(places: QuerySet[SignedIn]) -> int:
    """Delete sessions; where they were goes with them."""
    ended = list(places.values_list("session_id", flat=True))
    Session.objects.filter(session_key__in=ended).delete()
    return len(ended)
