"""Who may see a page: signed in on this host, strongly enough, and allowed by the one table of permissions."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from accounts import strength, teams
from accounts.models import User
from accounts.permissions import Permission, permissions_of
from accounts.strength import Owed
from audit.record import record
from messaging import seeing
from tenants import clock
from tenants.models import Municipality

Rest = ParamSpec("Rest")


class PageRequest(HttpRequest):
    """A request of someone who is signed in: what `requires` hands to its view."""

    user: User
    tenant: Municipality


View = Callable[Concatenate[PageRequest, Rest], HttpResponseBase]


def permissions(request: HttpRequest) -> frozenset[Permission]:
    """Return what whoever asks may do, looked up once a request: nothing while a second step is owed."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return frozenset()
    found: frozenset[Permission] | None = getattr(request, "_permissions", None)
    if found is None:
        found = permissions_of(user=user) if owed(request) is Owed.NOTHING else frozenset()
        request._permissions = found  # type: ignore[attr-defined]
    return found


def owed(request: HttpRequest) -> Owed:
    """Return what the session of whoever is signed in owes before it opens anything, looked up once a request."""
    found: Owed | None = getattr(request, "_owed", None)
    if found is None:
        assert isinstance(request.user, User)
        found = strength.owed(request=request, user=request.user)
        request._owed = found  # type: ignore[attr-defined]
    return found


def requires(
    permission: Permission | None, *, also_owing: Collection[Owed] = (), also_inside: bool = False
) -> Callable[[View[Rest]], View[Rest]]:
    """Let only those to a page who have a permission; None: everyone who is signed in.

    Who is not signed in is asked to; who is, and may not, gets the page that says so. Who owes a second step is sent
    where it is set up or given, whatever the page is; but for those that are for that, which say so.
    What a page of htmx's asks for in the background is answered 401 instead, so that no sign-in form lands in the
    middle of a page.
    A page of one thread (`thread_id` in its address) is not there for who may not see it, by their teams; what a page
    finds by itself goes by messaging/seeing.py.
    also_owing: what somebody may owe and still see the page.
    also_inside: also for who is inside by break-glass; they have no account of their own here, so that None is nobody.
    """

    def decorate(view: View[Rest]) -> View[Rest]:
        @wraps(view)
        def checked(request: PageRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if is_fragment(request):
                    return HttpResponse(status=401)
                return redirect_to_login(request.get_full_path())
            if owed(request) is not Owed.NOTHING and owed(request) not in also_owing:
                return HttpResponse(status=401) if is_fragment(request) else redirect("second-step")
            if permission is not None and permission not in permissions(request):
                _record_denied(request, permission)
                raise PermissionDenied
            if permission is None and request.user.break_glass_id is not None and not also_inside:
                raise PermissionDenied
            with seeing.limited_to(_sight(request)):
                thread_id = kwargs.get("thread_id")
                if isinstance(thread_id, UUID) and not seeing.may_see(thread_id=thread_id):
                    raise Http404
                response = view(request, *args, **kwargs)
            # What a citizen wrote must not lie in a cache, nor come back with the "back" button after signing out.
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def _sight(request: PageRequest) -> seeing.Sight | None:
    """Return what whoever asks is limited to; None: they see all threads, or none at all.

    Who is inside by break-glass is in no team, and came for a reason that the municipality reads: they see all.
    """
    allowed = permissions(request)
    if request.user.break_glass_id is not None:
        return None
    if Permission.READ_THREADS not in allowed or Permission.READ_ALL_TEAMS in allowed or not teams.sees_only_own():
        return None
    return seeing.Sight(viewer_id=request.user.id, teams=teams.teams_of(user_id=request.user.id))


def _record_denied(request: PageRequest, permission: Permission) -> None:
    """Have the trail know that somebody tried what they may not; by the address's name, which holds no ids."""
    match = request.resolver_match
    where = match.view_name if match is not None else ""
    details = {"permission": permission.value, "method": request.method or ""}
    actor, at = request.user.actor(), clock.now()
    record(action="page.open", actor=actor, at=at, subject=f"page {where}", outcome="DENIED", details=details)


def is_fragment(request: HttpRequest) -> bool:
    """Return whether a script asks, for a part of a page or for its changes, and not somebody for a page."""
    return request.headers.get("HX-Request") == "true" or request.headers.get("Accept") == "text/event-stream"
