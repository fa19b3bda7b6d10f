"""Who may see a page: signed in on this host, and allowed by the one table of permissions."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.models import User
from accounts.permissions import Permission, permissions_of
from audit.record import record
from tenants import clock
from tenants.models import Municipality

Rest = ParamSpec("Rest")


class PageRequest(HttpRequest):
    """A request of someone who is signed in: what `requires` hands to its view."""

    user: User
    tenant: Municipality


View = Callable[Concatenate[PageRequest, Rest], HttpResponseBase]


def permissions(request: HttpRequest) -> frozenset[Permission]:
    """Return what whoever asks may do, looked up once a request."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return frozenset()
    found: frozenset[Permission] | None = getattr(request, "_permissions", None)
    if found is None:
        found = permissions_of(user=user)
        request._permissions = found  # type: ignore[attr-defined]
    return found


def requires(permission: Permission | None) -> Callable[[View[Rest]], View[Rest]]:
    """Let only those to a page who have a permission; None: everyone who is signed in.

    Who is not signed in is asked to; who is, and may not, gets the page that says so. What a page of htmx's asks for
    in the background is answered 401 instead, so that no sign-in form lands in the middle of a page.
    """

    def decorate(view: View[Rest]) -> View[Rest]:
        @wraps(view)
        def checked(request: PageRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if is_fragment(request):
                    return HttpResponse(status=401)
                return redirect_to_login(request.get_full_path())
            if permission is not None and permission not in permissions(request):
                _record_denied(request, permission)
                raise PermissionDenied
            response = view(request, *args, **kwargs)
            # What a citizen wrote must not lie in a cache, nor come back with the "back" button after signing out.
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return decorate


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
