"""Keys of systems, managed by a municipality's admin and, for the BSP's own systems, by its operator.

The same pages on both kinds of host, each with the keys of its own schema. A secret is shown on the answer to the form
that made it, and never again: it stands in no address and no session. One domain call a view.
"""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import keys
from accounts.models import ApiKey
from accounts.permissions import Permission
from tenants import clock
from web.access import PageRequest, requires

USUAL_DAYS = 365
LONGEST_YEARS = 5
OVERLAPS: dict[str, tuple[Promise, timedelta]] = {
    "0": (gettext_lazy("Not at all: it stops at once"), timedelta()),
    "1": (gettext_lazy("1 hour"), timedelta(hours=1)),
    "24": (gettext_lazy("1 day"), timedelta(days=1)),
    "168": (gettext_lazy("7 days"), timedelta(days=7)),
    "720": (gettext_lazy("30 days"), timedelta(days=30)),
}
USUAL_OVERLAP = "24"
WRONG: dict[str, Promise] = {
    "name": gettext_lazy("Give the key the name of the system that will hold it, at most 100 characters."),
    "scopes": gettext_lazy("Choose at least one thing that the key may do."),
    "expires": gettext_lazy("Choose a day from tomorrow to five years from now, or leave it empty."),
    "taken": gettext_lazy("There is a key of this name already. Choose another name, or give that key a new secret."),
}


@require_safe
@requires(Permission.MANAGE_KEYS)
def listed(request: PageRequest) -> HttpResponse:
    """Show the keys, what each may do, and when it was last used."""
    return render(request, "web/keys.html", {"keys": keys.keys(), "now": clock.now()})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_KEYS)
def make(request: PageRequest) -> HttpResponse:
    """Make a key, and show its secret this once."""
    at = clock.now()
    given = {name: request.POST.get(name, "").replace("\x00", "") for name in ("name", "expires", "ranges")}
    chosen = request.POST.getlist("scopes")
    refused: Promise | str | None = None
    if request.method == "POST":
        try:
            made = keys.create_key(
                name=given["name"],
                scopes=chosen,
                actor=request.user.actor(),
                at=at,
                expires_at=_end(given["expires"], at),
                allowed_ranges=given["ranges"].replace(",", " ").split(),
            )
            return render(request, "web/key_secret.html", {"made": made, "now": at})
        except keys.NameTaken:
            refused = WRONG["taken"]
        except keys.InvalidRange as error:
            refused = _("This is no address and no range of addresses: %(range)s") % {"range": error}
        except (keys.UnknownScope, ValueError) as error:
            refused = WRONG[_wrong(error, given, chosen)]
    else:
        given["expires"] = f"{timezone.localdate(at) + timedelta(days=USUAL_DAYS):%Y-%m-%d}"
    context = {"given": given, "chosen": chosen, "scopes": sorted(keys.scopes_here()), "refused": refused}
    return render(request, "web/key_new.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_KEYS)
def rotate(request: PageRequest, key_id: UUID) -> HttpResponse:
    """Ask for how long the old secret goes on, then show the new one this once."""
    key = _key(key_id)
    if request.method == "POST":
        chosen = OVERLAPS.get(request.POST.get("overlap", ""))
        if chosen is None:
            return HttpResponse(status=400)  # no form of ours sends this
        try:
            made = keys.rotate_key(key_id=key_id, overlap=chosen[1], actor=request.user.actor(), at=clock.now())
        except keys.UnknownKey:
            messages.info(request, _("This key opens nothing any more, so it gets no new secret."))
            return redirect("keys")
        return render(request, "web/key_secret.html", {"made": made, "now": clock.now()})
    overlaps = [(value, said) for value, (said, _overlap) in OVERLAPS.items()]
    return render(request, "web/key_rotate.html", {"key": key, "overlaps": overlaps, "usual": USUAL_OVERLAP})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_KEYS)
def revoke(request: PageRequest, key_id: UUID) -> HttpResponse:
    """Ask whether to revoke a key, then do it."""
    key = _key(key_id)
    if request.method == "POST":
        try:
            keys.revoke_key(key_id=key_id, actor=request.user.actor(), at=clock.now())
            messages.success(request, _("The key was revoked. It opens nothing any more."))
        except keys.UnknownKey:
            messages.info(request, _("This key was revoked already."))
        return redirect("keys")
    return render(request, "web/key_revoke.html", {"key": key, "now": clock.now()})


def _key(key_id: UUID) -> ApiKey:
    key = ApiKey.objects.filter(id=key_id).first()
    if key is None:
        raise Http404
    return key


def _end(text: str, at: datetime) -> datetime | None:
    """Return the end of a day of Amsterdam, or None when none was given.  Raises ValueError: it is no such day."""
    if not text:
        return None
    day = date.fromisoformat(text)
    today = timezone.localdate(at)
    if not today < day <= today.replace(day=1) + timedelta(days=LONGEST_YEARS * 366):
        raise ValueError("no day from tomorrow to five years from now")
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


def _wrong(error: Exception, given: dict[str, str], chosen: list[str]) -> str:
    """Return which field of the form is wrong."""
    if not given["name"].strip() or len(given["name"]) > keys.LONGEST_NAME:
        return "name"
    return "scopes" if not chosen or isinstance(error, keys.UnknownScope) else "expires"
