"""What the trail is told of signing in: who, how, from where, and how it ended (BIO2 8.15.01).

No password, code or link is in it, and no address of somebody who is no user here: people type passwords into the
field above, and addresses of strangers are nobody's business. Such an address is a keyed digest, the same for the same
address, so that somebody who tries one address again and again can be seen.
"""

import hashlib
import hmac

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest

from accounts.models import User
from audit.record import Actor, record
from tenants import clock

LOCK_TOLD_SECONDS = 5 * 60  # a lock-out is told once in this time, however often somebody tries


def began(*, request: HttpRequest, user: User) -> None:
    """Tell that somebody signed in, and by which steps."""
    records = get_authentication_records(request, user)
    by = [str(each.get("type") or each["method"]) for each in records]
    record(action="session.begin", actor=user.actor(), at=clock.now(), subject=_subject(user), details={"by": by})


def refused(*, address: str = "", user: User | None = None, is_blocked: bool = False) -> None:
    """Tell that a password was wrong, or a passkey, or the address nobody's; or that who gave the right one may not."""
    _tell("session.refuse", "DENIED" if is_blocked else "FAILED", user or _known(address), address)


def locked(*, address: str) -> None:
    """Tell, once in a while, that no more attempts at an address are looked at."""
    if cache.add(f"lock-told:{_digest(address)}", 1, LOCK_TOLD_SECONDS):
        _tell("session.lock", "DENIED", _known(address), address)


def second_step_refused(*, user: User, is_locked: bool) -> None:
    """Tell that a second step was wrong; or, once in a while, that no more attempts are looked at."""
    if not is_locked:
        _tell("second_step.refuse", "FAILED", user, "")
    elif cache.add(f"lock-told:{user.pk}", 1, LOCK_TOLD_SECONDS):
        _tell("second_step.lock", "DENIED", user, "")


def ended(*, user: User, which: str, count: int = 1) -> None:
    """Tell that somebody ended sessions of their own. which: this, another, others or all."""
    details = {"which": which, "ended": count}
    record(action="session.end", actor=user.actor(), at=clock.now(), subject=_subject(user), details=details)


def asked_for_reset(*, user: User, is_sent: bool) -> None:
    """Tell that somebody asked for a new password for an account; whether they may have one."""
    outcome = "OK" if is_sent else "DENIED"
    actor, at = _stranger(), clock.now()
    record(action="password.reset.ask", actor=actor, at=at, subject=_subject(user), outcome=outcome)


def _tell(action: str, outcome: str, user: User | None, address: str) -> None:
    subject = _subject(user) if user is not None else f"address {_digest(address)}"
    record(action=action, actor=_stranger(), at=clock.now(), subject=subject, outcome=outcome)


def _known(address: str) -> User | None:
    return User.objects.filter(email=address.strip().lower()).first()


def _stranger() -> Actor:
    """Return who acts before it is known who: nobody has signed in yet."""
    return Actor(schema=connection.schema_name, id="unknown", name="?")  # type: ignore[attr-defined]


def _subject(user: User) -> str:
    return f"user {user.pk}"


def _digest(address: str) -> str:
    text = f"{connection.schema_name}:{address.strip().lower()}".encode()  # type: ignore[attr-defined]
    return hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()[:16]
