"""What Meta told of a number that somebody should know, in words: alerts, violations, restrictions, bans, its PIN."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants import number_reading
from tenants.models import NumberHealth

ASK_FAILURES: Mapping[str, Promise] = {
    number_reading.NO_ACCESS: _("We have no access to this number at Meta. Ask your provider."),
    number_reading.REFUSED: _("Meta did not want to say it. Ask your provider."),
    number_reading.UNREACHABLE: _("Meta does not answer now. Try again later."),
}
# By aspect (tenants/health.py): its field, and the words for each of Meta's words; others are shown as Meta has them.
_ALERTS: Mapping[str, tuple[str, Mapping[str, Promise]]] = {
    "alert": (
        "alert",
        {
            "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED": _("Meta decides later whether the limit may go up."),
            "INCREASED_CAPABILITIES_ELIGIBILITY_FAILED": _("Meta does not raise the limit now."),
            "INCREASED_CAPABILITIES_ELIGIBILITY_NEED_MORE_INFO": _(
                "Meta wants to know more before it raises the limit: look in your business account at Meta."
            ),
            "OBA_APPROVED": _("The number has the mark of an official account."),
            "OBA_REJECTED": _("Meta did not give the number the mark of an official account."),
            "PROFILE_PICTURE_LOST": _("The profile picture is gone at Meta. Put it up again."),
        },
    ),
    "violation": ("violation", {}),
    "ban": (
        "account_state",
        {
            "DISABLE": _("Meta has disabled the account."),
            "SCHEDULE_FOR_DISABLE": _("Meta is going to disable the account."),
            "REINSTATE": _("Meta has let the account in again."),
        },
    ),
    "review": (
        "account_review",
        {
            "APPROVED": _("Meta has approved the account."),
            "REJECTED": _("Meta has rejected the account."),
            "PENDING": _("Meta looks at the account."),
            "DEFERRED": _("Meta looks at the account later."),
        },
    ),
    "pin": (
        "pin_event",
        {
            "PIN_CHANGED": _("The PIN of the number was changed."),
            "PIN_RESET_REQUEST": _("Somebody asked for another PIN of the number."),
            "PIN_REQUEST_SUCCESS": _("The PIN of the number was taken off."),
        },
    ),
}
# Before a word of Meta's that we have none for.
_IN_METAS_WORDS: Mapping[str, Promise] = {
    "violation": _("Meta says that its rules were broken:"),
    "ban": _("Meta told of the account:"),
    "review": _("Meta told of the account:"),
}
_TOLD = _("Meta told of the number:")
# What cannot be done meanwhile. Source: Meta, "account_update" webhook (excerpt of 2026-05-21).
_RESTRICTIONS: Mapping[str, Promise] = {
    "RESTRICTED_BIZ_INITIATED_MESSAGING": _("Beginning conversations by a template"),
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": _("Answering citizens who wrote"),
    "RESTRICTED_UTILITY_TEMPLATES": _("Sending templates of the category Utility"),
    "RESTRICTED_ADD_PHONE_NUMBER_ACTION": _("Adding numbers to the account"),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that Meta told, and when. word: Meta's own after it, where we have none."""

    at: datetime
    said: Promise
    word: str


@dataclass(frozen=True, slots=True)
class Restriction:
    """What Meta does not allow, until when if it said so. word: Meta's own, where we have none."""

    said: Promise | str
    word: str
    until: datetime | None


def alerts(*, health: NumberHealth | None) -> list[Alert]:
    """Return what Meta told of a number and its account, the latest first. health: None where it told nothing."""
    if health is None:
        return []
    found = []
    for aspect, (field, known) in _ALERTS.items():
        word, told = getattr(health, field), health.told.get(aspect)
        if word and told:
            said, word = (known[word], "") if word in known else (_IN_METAS_WORDS.get(aspect, _TOLD), word)
            found.append(Alert(at=datetime.fromisoformat(told[0]), said=said, word=word))
    return sorted(found, key=lambda alert: alert.at, reverse=True)


def restrictions(*, health: NumberHealth | None) -> list[Restriction]:
    """Return what Meta does not allow a number now. health: None where it told nothing."""
    if health is None:
        return []
    return [
        Restriction(
            said=_RESTRICTIONS.get(each["type"], ""),
            word=each["type"],
            until=datetime.fromisoformat(each["until"]) if each["until"] else None,
        )
        for each in health.restrictions
    ]
