"""Mails a municipality's admins that the BSP suspended sending, or resumed it: why, since when, and whom they ask.

Posted within the transaction that moves it (tenants/onboarding/moves.py, by settings.SUSPENSION_TOLD), so that none is
mailed about what did not happen, nor forgotten about what did. It says what holds when it is sent: of two moves shortly
after each other one mail goes, which tells of both.
"""

from datetime import datetime

from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts import posting
from accounts.models import Mail, User
from tenants.models import Municipality
from tenants.onboarding.moves import last_suspension
from tenants.stages import Stage


def post() -> None:
    """Have every admin in the schema that the connection is in mailed how sending stands now."""
    posting.post_to_admins(what=Mail.What.SUSPENSION)


def texts(*, user: User) -> tuple[str, list[str]] | None:
    """Return subject and paragraphs, in the language that is in use; None: it was ended since, or they are no admin.

    The reason is what somebody of the BSP wrote down; the page on which they do says that it is mailed.
    """
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    municipality = Municipality.objects.get(schema_name=schema_name)
    found = last_suspension(municipality=municipality)
    if found is None or not posting.admins().filter(id=user.id).exists():
        return None
    suspended, resumed = found
    why = gettext("Why: {reason}").format(reason=suspended.reason)
    ask = gettext("Do you have questions? Ask your provider; {name} decided on it.")
    if municipality.stage == Stage.SUSPENDED:
        since = gettext("Your provider suspended sending on {day}.").format(day=_day(suspended.at))
        what = gettext(
            "From then on nothing leaves from your workspace. What citizens write still comes in. What you send waits,"
            " and leaves when sending is resumed."
        )
        end = ask.format(name=suspended.by_name)
        return gettext("Sending was suspended"), [since, why, what, end, gettext("Your workspace:")]
    if municipality.stage != Stage.LIVE or resumed is None:
        return None
    now = gettext("Your provider resumed sending on {day}. What waited leaves by itself.").format(day=_day(resumed.at))
    before = gettext("It was suspended since {day}.").format(day=_day(suspended.at))
    end = ask.format(name=resumed.by_name)
    return gettext("Sending was resumed"), [now, before, why, end, gettext("Your workspace:")]


def _day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "j F Y H:i")
