"""The automatic answer while the municipality is closed: whether there is one, and how it reads."""

from datetime import datetime

from django.db import transaction

from audit.record import Actor, record
from messaging.models import ClosedAnswer, PrivacyNotice
from tenants.clock import AMSTERDAM

OPENS = "{open}"  # stands in a municipality's own words for the moment at which it opens
SOON = "zo snel mogelijk"  # where no moment is known
WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
)
OURS = {
    PrivacyNotice.FormOfAddress.FORMAL: (
        "Bedankt voor uw bericht aan de gemeente {name}. Wij zijn nu gesloten. U krijgt antwoord {open}. "
        "Is er direct gevaar? Bel dan 112."
    ),
    PrivacyNotice.FormOfAddress.INFORMAL: (
        "Bedankt voor je bericht aan de gemeente {name}. We zijn nu gesloten. Je krijgt antwoord {open}. "
        "Is er direct gevaar? Bel dan 112."
    ),
}


class BadAnswer(ValueError):
    """The municipality's own words are longer than ClosedAnswer.LONGEST_TEXT."""


@transaction.atomic
def save_answer(*, is_on: bool, own_text: str, actor: Actor, at: datetime) -> None:
    """Have citizens answered while it is closed, in these words or ours, or no longer. Safe to repeat.

    Raises BadAnswer.
    """
    own_text = own_text.replace("\r\n", "\n").strip()
    if len(own_text) > ClosedAnswer.LONGEST_TEXT:
        raise BadAnswer
    if is_on:
        ClosedAnswer.objects.update_or_create(id=1, defaults={"own_text": own_text, "saved_at": at})
    else:
        ClosedAnswer.objects.all().delete()
    details = {"on": is_on, "own_text": bool(own_text)}
    record(action="office.closed_answer", actor=actor, at=at, subject="closed answer", details=details)


def wording(*, own_text: str, form: PrivacyNotice.FormOfAddress, name: str, opens_at: datetime | None) -> str:
    """Return the answer as a citizen reads it. opens_at: when the municipality opens next, if that is known."""
    moment = f"vanaf {_in_words(opens_at)}" if opens_at is not None else SOON
    # What a municipality is called, or wrote, is put in as it is: a brace in it is a brace.
    return own_text.replace(OPENS, moment) if own_text else OURS[form].format(name=name, open=moment)


def _in_words(moment: datetime) -> str:
    local = moment.astimezone(AMSTERDAM)
    return f"{WEEKDAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} om {local:%H.%M} uur"
