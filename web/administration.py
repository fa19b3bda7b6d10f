"""The municipal admin's pages: its numbers, and the profile of each. One domain call a view."""

from dataclasses import asdict, dataclass

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission
from audit.record import record
from messaging import number_photo, number_profile, overview
from messaging.media import thumbnails
from messaging.number_profile import LONGEST, Profile
from tenants import clock, number_reading
from tenants.models import Number
from web.access import PageRequest, permissions, requires
from web.number_words import ASK_FAILURES, alerts, restrictions
from whatsapp.outcomes import MetaRefused, MetaUnreachable

LABELS: dict[str, Promise] = {
    "about": gettext_lazy("In short"),
    "description": gettext_lazy("Description"),
    "address": gettext_lazy("Address"),
    "email": gettext_lazy("E-mail address"),
    "website": gettext_lazy("Web page"),
}
PROBLEMS: dict[str, Promise] = {
    "missing": gettext_lazy("This may not be empty."),
    "too_long": gettext_lazy("This is too long."),
    "no_address": gettext_lazy("This is no e-mail address."),
    "no_page": gettext_lazy("Give an address that begins with https://."),
}
PHOTO_PROBLEMS: dict[str, Promise] = {
    "empty": gettext_lazy("Choose a picture."),
    "too_large": gettext_lazy("This picture is too large: 5 MB at most."),
    "no_picture": gettext_lazy("This is no JPEG or PNG picture, or it is broken."),
    "too_small": gettext_lazy("This picture is too small: at least 192 pixels wide and high."),
    "too_many_pixels": gettext_lazy("This picture has too many pixels. Make it smaller first."),
}
AWAY = gettext_lazy("Meta does not answer now. Try again later.")
REFUSED = gettext_lazy("Meta refused this. Nothing was changed.")
NO_ACCESS = gettext_lazy("We have no access to this number at Meta. Ask your provider.")


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the profile's form."""

    name: str
    label: Promise
    value: str
    longest: int
    wrong: Promise | str


@require_safe
@requires(Permission.READ_NUMBERS)
def numbers(request: PageRequest) -> HttpResponse:
    """Show the municipality's numbers."""
    at = clock.now()
    found = overview.numbers(municipality=request.tenant, at=at)
    written_first = overview.written_first(at=at)
    may_change = Permission.MANAGE_NUMBERS in permissions(request)
    shown = [(view, restrictions(health=view.health), alerts(health=view.health)) for view in found]
    context = {"numbers": shown, "now": at, "written_first": written_first, "may_change": may_change}
    return render(request, "web/numbers.html", context)


@require_POST
@requires(Permission.MANAGE_NUMBERS)
def read(request: PageRequest, phone_number_id: str) -> HttpResponse:
    """Ask Meta now how a number is: quality, limit, speed and name."""
    number, actor, at = _number(request, phone_number_id), request.user.actor(), clock.now()
    failure = number_reading.read(number=number, at=at)
    outcome = "FAILED" if failure else "OK"
    record(action="number.read", actor=actor, at=at, subject=f"number {phone_number_id}", outcome=outcome)
    if failure:
        messages.error(request, str(ASK_FAILURES[failure]))
    else:
        messages.success(request, _("This is what Meta says now."))
    return redirect("numbers")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_NUMBERS)
def profile(request: PageRequest, phone_number_id: str) -> HttpResponse:
    """Show the profile that Meta has of a number, and change it."""
    number = _number(request, phone_number_id)
    shown, wrong, trouble = None, {}, ""
    try:
        if request.method != "POST":
            shown = number_profile.read(number=number)
        else:
            shown = Profile(**{name: request.POST.get(name, "").strip() for name in LABELS})
            number_profile.change(number=number, wanted=shown, actor=request.user.actor(), at=clock.now())
            messages.success(request, _("It was saved at Meta."))
            return redirect("number-profile", phone_number_id=phone_number_id)
    except number_profile.UnfitProfile as unfit:
        wrong = unfit.problems
    except number_profile.NoAccess:
        trouble = str(NO_ACCESS)
    except MetaUnreachable:
        trouble = str(AWAY)
    except MetaRefused:
        trouble = str(REFUSED)
    return _profile_page(request, number, shown, wrong, trouble)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_NUMBERS)
def photo(request: PageRequest, phone_number_id: str) -> HttpResponse:
    """Show the photo that Meta has of a number, and put another in its place."""
    number = _number(request, phone_number_id)
    has_one, refused, status = False, "", 200
    try:
        if request.method == "POST":
            given = request.FILES.get("photo")
            content = given.read(number_photo.MOST_BYTES + 1) if isinstance(given, UploadedFile) else b""
            number_photo.change(number=number, content=content, actor=request.user.actor(), at=clock.now())
            messages.success(request, _("It was saved at Meta."))
            return redirect("number-photo", phone_number_id=phone_number_id)
        has_one = number_photo.has_one(number=number)
    except number_photo.UnfitPhoto as unfit:
        refused, status = str(PHOTO_PROBLEMS[unfit.code]), 422
    except number_profile.NoAccess:
        refused, status = str(NO_ACCESS), 503
    except MetaUnreachable:
        refused, status = str(AWAY), 503
    except MetaRefused:
        refused, status = str(REFUSED), 503
    context = {"number": number, "has_one": has_one, "refused": refused}
    return render(request, "web/number_photo.html", context, status=status)


@require_safe
@requires(Permission.MANAGE_NUMBERS)
def photo_itself(request: PageRequest, phone_number_id: str) -> HttpResponse:
    """Give the photo that Meta has, so that the page asks nothing of Meta's hosts."""
    number = _number(request, phone_number_id)
    try:
        found = number_photo.read(number=number)
    except (number_profile.NoAccess, MetaRefused, MetaUnreachable, thumbnails.NotAPicture):
        return HttpResponse(status=503)
    if found is None:
        raise Http404
    answer = HttpResponse(found, content_type=thumbnails.CONTENT_TYPE)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _number(request: PageRequest, phone_number_id: str) -> Number:
    number = number_profile.find_number(municipality=request.tenant, phone_number_id=phone_number_id)
    if number is None:
        raise Http404
    return number


def _profile_page(
    request: PageRequest, number: Number, shown: Profile | None, wrong: dict[str, str], trouble: str
) -> HttpResponse:
    values = asdict(shown) if shown is not None else {}
    rows = [
        Row(name, LABELS[name], value, LONGEST[name], PROBLEMS[wrong[name]] if name in wrong else "")
        for name, value in values.items()
    ]
    status = 422 if wrong else 503 if trouble else 200
    return render(
        request, "web/number_profile.html", {"number": number, "rows": rows, "trouble": trouble}, status=status
    )
