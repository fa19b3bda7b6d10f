"""The admin's pages of when the municipality answers, and of what it says of privacy. One domain call a view."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import Permission
from messaging.models import PrivacyNotice, SpecialDay
from messaging.models.office import DAY_MINUTES
from messaging.office import notice as notices
from messaging.office import setting
from messaging.office.holidays import USUAL, Holiday, date_of
from messaging.office.hours import Hours, clock_word, find_hours
from tenants import clock
from tenants.clock import AMSTERDAM
from web.access import PageRequest, requires
from web.office_words import BAD, HOLIDAYS

PARTS = range(2)  # of a day: it may close in between
ENDS = ("opens", "closes")


@dataclass(frozen=True, slots=True)
class DayRow:
    """One weekday of the form: what is filled in, and what is wrong with it."""

    weekday: int
    name: Promise | str
    parts: list[tuple[str, str]]  # from, until; each may be empty
    wrong: Promise | str


@dataclass(frozen=True, slots=True)
class HolidayRow:
    """One holiday to choose, and when it is next."""

    code: str
    name: Promise
    next_date: date | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class SpecialRow:
    """One day of their own; open: from and until, or nothing when it is closed."""

    day: SpecialDay
    open: str


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_OFFICE)
def opening_hours(request: PageRequest) -> HttpResponse:
    """Show week, holidays and days of their own, and save the first two together."""
    if request.method != "POST":
        return _hours_page(request)
    if not all(f"{end}-{weekday}-{part}" in request.POST for end in ENDS for weekday in range(7) for part in PARTS):
        return HttpResponse(status=400)  # no form of ours sends this: it would leave a week half empty
    wrong: dict[int, str] = {}
    periods = list(_periods(request.POST, wrong))
    chosen = {Holiday(name) for name in request.POST.getlist("holiday") if name in set(Holiday)}
    if not wrong:
        try:
            setting.save_hours(periods=periods, holidays=chosen, actor=request.user.actor(), at=clock.now())
        except setting.BadHours as error:
            wrong[error.weekday] = error.code
        else:
            messages.success(request, _("It was saved."))
            return redirect("opening-hours")
    return _hours_page(request, given=request.POST, chosen=chosen, wrong=wrong)


@require_POST
@requires(Permission.MANAGE_OFFICE)
def add_day(request: PageRequest) -> HttpResponse:
    """Say what holds on one date."""
    given = request.POST
    try:
        day = date.fromisoformat(given.get("date", ""))
        opens, closes = _minute(given.get("opens", "")), _minute(given.get("closes", ""), ends=True)
    except ValueError:
        return _hours_page(request, day_refused="day_missing", day_given=given)
    if (opens is None) != (closes is None):
        return _hours_page(request, day_refused="half", day_given=given)
    window = None if opens is None or closes is None else (opens, closes)
    try:
        setting.add_special_day(
            day=day, name=given.get("name", ""), window=window, actor=request.user.actor(), at=clock.now()
        )
    except setting.BadHours as error:
        return _hours_page(request, day_refused=error.code, day_given=given)
    messages.success(request, _("It was saved."))
    return redirect("opening-hours")


@require_POST
@requires(Permission.MANAGE_OFFICE)
def remove_day(request: PageRequest, day_id: UUID) -> HttpResponse:
    """Let a date be as its weekday again; it is as easily put back."""
    try:
        setting.remove_special_day(day_id=day_id, actor=request.user.actor(), at=clock.now())
    except SpecialDay.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("That day is as any other again."))
    return redirect("opening-hours")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_OFFICE)
def privacy_notice(request: PageRequest) -> HttpResponse:
    """Show what citizens are told of their data, and save it; or show first how it would read."""
    kept, refused = PrivacyNotice.objects.first(), ""
    shown = kept or PrivacyNotice(url="", form_of_address=PrivacyNotice.FormOfAddress.FORMAL)
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in ("url", "form_of_address", "own_text")}
        try:
            setting.save_notice(**given, actor=request.user.actor(), at=clock.now())
        except setting.BadNotice as error:
            refused, shown = error.code, PrivacyNotice(**given)
        else:
            messages.success(request, _("It was saved."))
            return redirect("privacy-notice")
    known = shown.form_of_address in PrivacyNotice.FormOfAddress
    context = {
        "kept": kept,
        "shown": shown,
        "refused": BAD.get(refused, ""),
        "reads": notices.wording(notice=shown, name=request.tenant.name) if shown.url and known else "",
        "longest": PrivacyNotice.LONGEST_TEXT,
    }
    return render(request, "web/privacy_notice.html", context, status=422 if refused else 200)


def _hours_page(
    request: PageRequest,
    *,
    given: Mapping[str, str] | None = None,
    chosen: set[Holiday] | None = None,
    wrong: Mapping[int, str] | None = None,
    day_refused: str = "",
    day_given: Mapping[str, str] | None = None,
) -> HttpResponse:
    at = clock.now()
    kept, today = find_hours(), at.astimezone(AMSTERDAM).date()
    holidays = chosen if chosen is not None else (set(kept.holidays) if kept else set(USUAL))
    special = sorted(kept.special.values(), key=lambda day: day.date) if kept else list(SpecialDay.objects.all())
    context = {
        "kept": kept,
        "is_open": kept is not None and kept.is_open(at=at),
        "opens_next": kept.opens_next(at=at) if kept else None,
        "days": [_day_row(weekday, kept, given, (wrong or {}).get(weekday, "")) for weekday in range(7)],
        "holidays": [
            HolidayRow(code=each, name=HOLIDAYS[each], next_date=_next(each, today), is_chosen=each in holidays)
            for each in Holiday
        ],
        "special": [SpecialRow(day=day, open=_window(day)) for day in special if day.date >= today],
        "wrong": bool(wrong),
        "day_refused": BAD.get(day_refused, ""),
        "day_given": day_given or {},
    }
    return render(request, "web/opening_hours.html", context, status=422 if wrong or day_refused else 200)


def _day_row(weekday: int, kept: Hours | None, given: Mapping[str, str] | None, wrong: str) -> DayRow:
    if given is not None:
        parts = [
            (given.get(f"opens-{weekday}-{part}", ""), given.get(f"closes-{weekday}-{part}", "")) for part in PARTS
        ]
    else:
        usual = (setting.USUAL_WINDOW,) if weekday in setting.USUAL_WEEKDAYS else ()
        windows = kept.week.get(weekday, ()) if kept else usual
        parts = [(clock_word(minute=opens), _input_word(closes)) for opens, closes in windows]
        parts += [("", "")] * (len(PARTS) - len(parts))
    return DayRow(weekday=weekday, name=WEEKDAYS[weekday], parts=parts, wrong=BAD.get(wrong, ""))


def _periods(given: Mapping[str, str], wrong: dict[int, str]) -> Iterator[tuple[int, int, int]]:
    """Return the periods that are filled in; what cannot be is put in `wrong`, by weekday."""
    for weekday in range(7):
        for part in PARTS:
            try:
                opens = _minute(given.get(f"opens-{weekday}-{part}", ""))
                closes = _minute(given.get(f"closes-{weekday}-{part}", ""), ends=True)
            except ValueError:
                wrong[weekday] = "half"
                continue
            if opens is not None and closes is not None:
                yield weekday, opens, closes
            elif opens is not None or closes is not None:
                wrong[weekday] = "half"


def _minute(word: str, *, ends: bool = False) -> int | None:
    """Return the minute of the day that a field for a time holds, or None; midnight ends a day.  Raises ValueError."""
    if not word:
        return None
    moment = time.fromisoformat(word)
    minute = moment.hour * 60 + moment.minute
    return DAY_MINUTES if ends and minute == 0 else minute


def _input_word(minute: int) -> str:
    """Return a closing minute as a field for a time takes it: there is no 24:00 in it."""
    return "00:00" if minute == DAY_MINUTES else clock_word(minute=minute)


def _window(day: SpecialDay) -> str:
    if day.opens_minute is None or day.closes_minute is None:
        return ""
    return f"{clock_word(minute=day.opens_minute)}–{clock_word(minute=day.closes_minute)}"


def _next(holiday: Holiday, today: date) -> date | None:
    """Return when a holiday is next; the one of once in five years is found too."""
    for year in range(today.year, today.year + 6):
        found = date_of(holiday=holiday, year=year)
        if found is not None and found >= today:
            return found
    return None
