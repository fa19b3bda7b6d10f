"""A municipality as a buyer: the details that stand on its invoices, edited by finance, with what is still missing."""

from dataclasses import asdict
from datetime import date

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission
from billing.applied import find_applied
from billing.models import BillingProfile
from billing.months import day_of
from billing.parties import FIELDS, Profile, find_profile, missing, save_profile
from tenants import clock
from tenants.models import Municipality
from tenants.onboarding import fields
from web.access import PageRequest, requires
from web.words import PROFILE_FIELDS

# What is typed as a text; the others have a form field of their own.
TYPED = tuple(name for name in FIELDS if name not in ("has_no_cost_centre", "payment_days"))


@require_safe
@requires(Permission.READ_INVOICES)
def buyers(request: PageRequest) -> HttpResponseBase:
    """Show of every municipality what its invoices still lack."""
    today = day_of(moment=clock.now())
    latest: dict[object, Profile] = {}
    for row in BillingProfile.objects.filter(valid_from__lte=today).order_by("valid_from", "id"):
        latest[row.municipality_id] = Profile(**{name: getattr(row, name) for name in FIELDS})
    rows = [
        {
            "municipality": municipality,
            "profile": latest.get(municipality.id),
            "missing": _words(latest.get(municipality.id)),
        }
        for municipality in Municipality.objects.exclude(schema_name="public").order_by("name")
    ]
    return render(request, "web/buyers.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_INVOICES)
def buyer(request: PageRequest, schema_name: str) -> HttpResponseBase:
    """Show and change a municipality's billing details, from a day on."""
    municipality = Municipality.objects.exclude(schema_name="public").filter(schema_name=schema_name).first()
    if municipality is None:
        raise Http404
    at = clock.now()
    stored = find_profile(municipality_id=municipality.id, day=day_of(moment=at))
    applied = find_applied(municipality=municipality) if stored is None else None
    profile = stored or applied or Profile()
    context: dict[str, object] = {"municipality": municipality, "today": day_of(moment=at), "applied": applied}
    if request.method == "POST":
        profile, refused = _given(request, profile)
        valid_from = _day(request.POST.get("valid_from", ""))
        if valid_from is None:
            refused = _("Fill in the day from which this holds.")
        if not refused and valid_from is not None:
            try:
                with transaction.atomic():
                    save_profile(
                        municipality_id=municipality.id,
                        profile=profile,
                        valid_from=valid_from,
                        actor=request.user.actor(),
                        at=at,
                    )
            except IntegrityError:
                refused = _("Payment is within 1 to 60 days.")
            else:
                messages.success(request, _("The billing details are stored."))
                return redirect("buyers")
        context["refused"] = refused
    shown = [(name, PROFILE_FIELDS[name], getattr(profile, name)) for name in TYPED]
    context |= {"profile": profile, "fields": shown, "missing": _words(profile)}
    return render(request, "web/buyer.html", context, status=422 if "refused" in context else 200)


def _given(request: PageRequest, before: Profile) -> tuple[Profile, str]:
    """Return the profile that the form says, and what is wrong with it or ''."""
    values = {name: request.POST.get(name, "").strip() for name in TYPED}
    days = request.POST.get("payment_days", "").strip()
    values["country"] = values["country"].upper() or "NL"
    is_whole = days.isdecimal() and len(days) < 3
    profile = Profile(
        **values,
        has_no_cost_centre=request.POST.get("has_no_cost_centre") == "yes",
        payment_days=int(days) if is_whole else before.payment_days,
    )
    if not is_whole:
        return profile, _("Fill in within how many days is paid.")
    if not profile.legal_name:
        return profile, _("Fill in the name of the legal entity.")
    if profile.cost_centre and profile.has_no_cost_centre:
        return profile, _("Fill in a cost centre, or tick that the municipality uses none: not both.")
    return _checked(profile)


def _checked(profile: Profile) -> tuple[Profile, str]:
    """Return a profile with its numbers as they are written officially, and what is wrong with one or ''."""
    read: dict[str, str] = {}
    checks = {"kvk": fields.kvk, "oin": fields.oin, "vat_number": fields.vat, "email": fields.email}
    if profile.country == "NL":
        checks["postcode"] = fields.postal_code
    for name, check in checks.items():
        value = getattr(profile, name)
        if not value:
            continue
        # Written with spaces or points, as people copy them.
        try:
            read[name] = check(value)
        except fields.Unfit:
            return profile, _("%(field)s is not right. Look it up, and type it again.") % {
                "field": PROFILE_FIELDS[name]
            }
    made = Profile(**{**asdict(profile), **read})
    for field in BillingProfile._meta.fields:
        if field.max_length is not None and len(getattr(made, field.name, "")) > field.max_length:
            return profile, _("%(field)s is too long.") % {"field": PROFILE_FIELDS[field.name]}
    return made, ""


def _words(profile: Profile | None) -> list[str]:
    return [" / ".join(str(PROFILE_FIELDS[name]) for name in names) for names in missing(profile)]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
