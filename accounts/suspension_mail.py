"""Mails a municipality's admins that the BSP suspended sending, resumed it, or ended it for good: why, since when, and
whom they ask; of an end also what becomes of their data, and until when they can come to it.

Posted within the transaction that moves it (tenants/onboarding/moves.py, by settings.SUSPENSION_TOLD), so that none is
mailed about what did not happen, nor forgotten about what did. It says what holds when it is sent: of two moves shortly
after each other one mail goes, which tells of both. An end takes nobody's account: it is sent as the others are.
"""

from datetime import date, datetime

from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from accounts import posting
from accounts.models import Mail, User
from tenants.models import Municipality, StageMove
from tenants.onboarding.application import load
from tenants.onboarding.models import Part
from tenants.onboarding.moves import last_ending, last_suspension
from tenants.stages import Stage


def post() -> None:
    """Have every admin in the schema that the connection is in mailed how sending stands now."""
    posting.post_to_admins(what=Mail.What.SUSPENSION)


def texts(*, user: User) -> tuple[str, list[str]] | None:
    """Return subject and paragraphs, in the language that is in use; None: it holds no longer, or they are no admin.

    The reason is what somebody of the BSP wrote down; the page on which they do says that it is mailed.
    """
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    municipality = Municipality.objects.get(schema_name=schema_name)
    if not posting.admins().filter(id=user.id).exists():
        return None
    ending = last_ending(municipality=municipality)
    if ending is not None:
        return _ended(municipality, ending)
    found = last_suspension(municipality=municipality)
    return None if found is None else _suspended_or_resumed(municipality, *found)


def _suspended_or_resumed(
    municipality: Municipality, suspended: StageMove, resumed: StageMove | None
) -> tuple[str, list[str]] | None:
    why = gettext("Why: {reason}").format(reason=suspended.reason)
    ask = gettext("Do you have questions? Ask your provider; {name} decided on it.")
    if municipality.stage == Stage.SUSPENDED:
        since = gettext("Your provider suspended sending on {day}.").format(day=_moment(suspended.at))
        what = gettext(
            "From then on nothing leaves from your workspace. What citizens write still comes in. What you send waits,"
            " and leaves when sending is resumed."
        )
        end = ask.format(name=suspended.by_name)
        return gettext("Sending was suspended"), [since, why, what, end, gettext("Your workspace:")]
    if municipality.stage != Stage.LIVE or resumed is None:
        return None
    now = gettext("Your provider resumed sending on {day}. What waited leaves by itself.").format(
        day=_moment(resumed.at)
    )
    before = gettext("It was suspended since {day}.").format(day=_moment(suspended.at))
    end = ask.format(name=resumed.by_name)
    return gettext("Sending was resumed"), [now, before, why, end, gettext("Your workspace:")]


def _ended(municipality: Municipality, ending: StageMove) -> tuple[str, list[str]]:
    parts = [
        gettext(
            "Your provider ended your municipality's WhatsApp on this platform on {day}. It cannot be undone."
        ).format(day=_moment(ending.at)),
        gettext("Why: {reason}").format(reason=ending.reason),
        gettext(
            "From then on nothing leaves from your workspace; what still waited is not sent either. Who writes to your"
            " number gets no answer here: tell your citizens how they reach you."
        ),
        _data(ending),
    ]
    privacy = load(onboarding_id=ending.onboarding_id).values(Part.PRIVACY)
    if privacy.get("agreement") and privacy.get("agreement_date"):  # none where an operator declared
        signed = date_format(date.fromisoformat(privacy["agreement_date"]), "j F Y")
        says = gettext("What your provider does with them is in your processor agreement: {name}, {day}.")
        parts.append(says.format(name=privacy["agreement"], day=signed))
    ask = gettext("Do you have questions, or do you need your data longer? Ask your provider; {name} decided on it.")
    parts += [ask.format(name=ending.by_name), gettext("Your workspace:")]
    return gettext("WhatsApp on this platform was ended"), parts


def _data(ending: StageMove) -> str:
    if ending.data_until_date is None:
        return gettext(
            "Your conversations and files stay in your workspace for now, where you can sign in. Take over what you"
            " have to keep, and ask your provider until when you can."
        )
    return gettext(
        "Your conversations and files stay in your workspace until {day}. Until then you can sign in as before: take"
        " over what you have to keep."
    ).format(day=date_format(ending.data_until_date, "j F Y"))


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "j F Y H:i")
