"""What closing the ways in besides the provider ends: sessions that began by one of them, of whom it is closed to."""

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import SignedIn
from accounts.sessions import SessionStore
from accounts.sign_on import gate

BY_PROVIDER = "socialaccount"  # allauth's word, in a session's record of how somebody signed in


def end_sessions(*, but_of: str) -> int:
    """End the sessions that could not begin any more as they did; return how many. Within a transaction.

    but_of: id of the user who closes it, who sees the page that says so; their session has its own end. Sessions of
    the BSP's people who are inside by break-glass began by no password, and end by their entry.
    """
    places = SignedIn.objects.filter(session__expire_date__gt=timezone.now(), user__break_glass_id=None)
    ended = [
        place.session_id
        for place in places.select_related("user", "session")
        if str(place.user_id) != but_of
        and not gate.may_sign_in_here(user=place.user)
        and not _began_by_provider(place.session)
    ]
    Session.objects.filter(session_key__in=ended).delete()
    return len(ended)


def _began_by_provider(session: Session) -> bool:
    kept = SessionStore().decode(session.session_data)
    return any(each.get("method") == BY_PROVIDER for each in kept.get(AUTHENTICATION_METHODS_SESSION_KEY, ()))
