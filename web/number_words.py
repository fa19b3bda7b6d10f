"""What Meta told of a number that somebody should know, in words: alerts, violations, bans, its PIN."""

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


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that Meta told, and when. word: Meta's own, where we have none."""

    at: datetime
    said: Promise | str
    word: str


def alerts(*, health: NumberHealth) -> list[Alert]:
    """Return what Meta told of a number and its account, the latest first."""
    found = []
    for aspect, (field, known) in _ALERTS.items():
        word, told = getattr(health, field), health.told.get(aspect)
        if word and told:
            found.append(Alert(at=datetime.fromisoformat(told[0]), said=known.get(word, ""), word=word))
    return sorted(found, key=lambda alert: alert.at, reverse=True)
