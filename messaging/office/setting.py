"""What an admin sets: the week, the holidays, days of their own, the privacy notice. Each is audited as a whole."""

from collections.abc import Collection
from datetime import date, datetime
from itertools import pairwise
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.record import Actor, record
from messaging.models import Office, OpenPeriod, PrivacyNotice, SpecialDay
from messaging.models.office import DAY_MINUTES
from messaging.office.holidays import USUAL, Holiday
from messaging.office.hours import Window, clock_word
from tenants.privacy_page import secure_page
from tenants.provisioning import NewTenant

USUAL_WINDOW: Window = (9 * 60, 17 * 60)
USUAL_WEEKDAYS = range(5)


class BadHours(Exception):
    """These hours cannot be; `code` says why, `weekday` of which day of the week, if of one."""

    def __init__(self, code: str, *, weekday: int = 0) -> None:
        super().__init__(code)
        self.code, self.weekday = code, weekday


class BadNotice(Exception):
    """This notice cannot be; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@transaction.atomic
def save_hours(
    *, periods: Collection[tuple[int, int, int]], holidays: Collection[Holiday], actor: Actor, at: datetime
) -> None:
    """Put a week and holidays in place of those from before. Safe to repeat.

    periods: (weekday, opens_minute, closes_minute).
    Raises BadHours: closes_before_opening, overlap.
    """
    wanted = sorted(set(periods))
    for weekday, opens, closes in wanted:
        if not 0 <= opens < closes <= DAY_MINUTES:
            raise BadHours("closes_before_opening", weekday=weekday)
    for (weekday, _, closes), (next_day, opens, _) in pairwise(wanted):
        if weekday == next_day and opens < closes:
            raise BadHours("overlap", weekday=weekday)
    # The row is the lock: two admins who save at once come one after the other, and each saves a whole week.
    Office.objects.get_or_create(id=1, defaults={"holidays": [], "saved_at": at})
    office = Office.objects.select_for_update().get(id=1)
    office.holidays, office.saved_at = sorted(holidays), at
    office.save()
    OpenPeriod.objects.all().delete()
    OpenPeriod.objects.bulk_create(
        OpenPeriod(weekday=weekday, opens_minute=opens, closes_minute=closes) for weekday, opens, closes in wanted
    )
    week = [f"{weekday} {clock_word(minute=opens)}-{clock_word(minute=closes)}" for weekday, opens, closes in wanted]
    details = {"week": week, "holidays": sorted(holidays)}
    record(action="office.hours", actor=actor, at=at, subject="opening hours", details=details)


@transaction.atomic
def add_special_day(*, day: date, name: str, window: Window | None, actor: Actor, at: datetime) -> SpecialDay:
    """Say what holds on one date; window None: closed all day.

    Raises BadHours: name_missing, closes_before_opening, day_taken.
    """
    name = " ".join(name.split())
    if not name or len(name) > SpecialDay.LONGEST_NAME:
        raise BadHours("name_missing")
    if window is not None and not 0 <= window[0] < window[1] <= DAY_MINUTES:
        raise BadHours("closes_before_opening")
    opens, closes = window or (None, None)
    try:
        with transaction.atomic():
            made = SpecialDay.objects.create(date=day, name=name, opens_minute=opens, closes_minute=closes)
    except IntegrityError as error:
        raise BadHours("day_taken") from error
    details = {"date": day.isoformat(), "name": name, "open": [opens, closes] if window else []}
    record(action="office.special_day", actor=actor, at=at, subject=f"special day {made.id}", details=details)
    return made


@transaction.atomic
def remove_special_day(*, day_id: UUID, actor: Actor, at: datetime) -> None:
    """Let a date be as its weekday again.  Raises SpecialDay.DoesNotExist."""
    day = SpecialDay.objects.select_for_update().get(id=day_id)
    day.delete()
    details = {"date": day.date.isoformat(), "name": day.name}
    record(action="office.special_day_removed", actor=actor, at=at, subject=f"special day {day_id}", details=details)


@transaction.atomic
def save_notice(*, url: str, form_of_address: str, own_text: str, actor: Actor, at: datetime) -> None:
    """Put a privacy notice in place of the one from before. Safe to repeat.

    Raises BadNotice: url_not_secure, address_unknown, text_too_long.
    """
    page, own_text = secure_page(url=url), own_text.replace("\0", "").strip()
    if page is None:
        raise BadNotice("url_not_secure")
    if form_of_address not in PrivacyNotice.FormOfAddress:
        raise BadNotice("address_unknown")
    if len(own_text) > PrivacyNotice.LONGEST_TEXT:
        raise BadNotice("text_too_long")
    values = {"url": page, "form_of_address": form_of_address, "own_text": own_text, "saved_at": at}
    PrivacyNotice.objects.update_or_create(id=1, defaults=values)
    details = {"url": page, "form_of_address": form_of_address, "own_text": bool(own_text)}
    record(action="office.privacy_notice", actor=actor, at=at, subject="privacy notice", details=details)


def install_hours(*, tenant: NewTenant) -> None:
    """Give a new tenant office hours and the usual holidays; runs inside its schema and its transaction."""
    periods = [(weekday, *USUAL_WINDOW) for weekday in USUAL_WEEKDAYS]
    save_hours(periods=periods, holidays=USUAL, actor=tenant.actor, at=tenant.at)


def install_notice(*, tenant: NewTenant) -> None:
    """Have a new tenant tell citizens of their data, in our words; runs inside its schema and its transaction.

    Not when nothing is known of its page on privacy: then its admin writes the notice.
    """
    if tenant.privacy_page is None:
        return
    formal = PrivacyNotice.FormOfAddress.FORMAL
    save_notice(url=tenant.privacy_page, form_of_address=formal, own_text="", actor=tenant.actor, at=tenant.at)


def other_notice(*, tenant: NewTenant) -> str | None:
    """Return the name of the argument if an operator names another page than the tenant's; runs in its schema.

    An application names none against its own tenant: what its admin made of it since is theirs.
    """
    if tenant.privacy_page is None or tenant.onboarding_id is not None:
        return None
    return None if PrivacyNotice.objects.filter(url=tenant.privacy_page).exists() else "privacy page"
