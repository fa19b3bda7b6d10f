"""What Meta says of numbers, put beside them: each aspect by the latest update, whatever the order in which they come.

Told by messaging/account_updates, shown by the pages. What stops a number, or soon will, is also opened as a trouble
(tenants/trouble.py), and closed when Meta takes it back.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from tenants.models import Number, NumberHealth, Trouble
from tenants.trouble import close_troubles, open_trouble

# Messages a second after Meta's upgrade of a number. Source: Meta, "Throughput" (excerpt of 2026-05-21).
HIGH_THROUGHPUT, HIGH_MESSAGES_PER_SECOND = "HIGH", 1000
# Of a number that also lives in the Business app on a phone: fixed, whatever else Meta says of it. Source: the same.
ON_A_PHONE, ON_A_PHONE_MESSAGES_PER_SECOND = "on a phone", 20
GONE = frozenset({"PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED", "ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"})
PIN_OPEN = frozenset({"PIN_RESET_REQUEST", "PIN_REQUEST_SUCCESS"})

# Which troubles an aspect can open and close.
TROUBLES: dict[str, frozenset[Trouble.Kind]] = {
    "quality": frozenset({Trouble.Kind.QUALITY}),
    "ban": frozenset({Trouble.Kind.LOCKED, Trouble.Kind.RESTRICTED}),
    "review": frozenset({Trouble.Kind.RESTRICTED}),
    "restriction": frozenset({Trouble.Kind.RESTRICTED}),
    "violation": frozenset({Trouble.Kind.RESTRICTED}),
    "connection": frozenset({Trouble.Kind.DISCONNECTED}),
    "pin": frozenset({Trouble.Kind.PIN}),
    "standby": frozenset({Trouble.Kind.STANDBY}),
}


@transaction.atomic
def tell(*, number: Number, aspect: str, values: Mapping[str, Any], at: datetime) -> bool:
    """Take over what Meta said of one aspect of a number, unless something later is known; return whether it counted.

    aspect: what the values replace together; values: by field of NumberHealth; at: Meta's moment. Of two told for the
    same second one counts, always the same. Safe to repeat.
    """
    NumberHealth.objects.get_or_create(number=number)
    health = NumberHealth.objects.select_for_update().get(number=number)
    said = [at.isoformat(), json.dumps(values, sort_keys=True, default=str)]
    before = health.told.get(aspect)
    if before is not None and (datetime.fromisoformat(before[0]), before[1]) >= (at, said[1]):
        return False
    health.told[aspect] = said
    for field, value in values.items():
        setattr(health, field, value[: _longest(field)] if isinstance(value, str) else value)
    if aspect not in {"standby", ON_A_PHONE}:  # known by what citizens write, and by what the phone tells
        health.updated_at = max(filter(None, (health.updated_at, at)))
    health.save()
    if ON_A_PHONE in health.told:
        faster = Number.objects.filter(id=number.id, messages_per_second__gt=ON_A_PHONE_MESSAGES_PER_SECOND)
        faster.update(messages_per_second=ON_A_PHONE_MESSAGES_PER_SECOND)
    elif values.get("throughput") == HIGH_THROUGHPUT:
        slower = Number.objects.filter(id=number.id, messages_per_second__lt=HIGH_MESSAGES_PER_SECOND)
        slower.update(messages_per_second=HIGH_MESSAGES_PER_SECOND)
    _settle_troubles(number, health, aspect, at)
    return True


def lives_on_a_phone(*, number: Number) -> None:
    """Note that a number also lives in the Business app on a phone: its lane keeps to less.  Safe to repeat."""
    tell(number=number, aspect=ON_A_PHONE, values={}, at=number.opened_at)


def end_restrictions(*, at: datetime) -> int:
    """End the restrictions whose moment has come, and what is wrong by them; return of how many numbers.

    Meta says until when, and says nothing when it is over. Safe to repeat.
    """
    ended = 0
    for number_id in NumberHealth.objects.exclude(restrictions=[]).values_list("number_id", flat=True):
        with transaction.atomic():
            health = (
                NumberHealth.objects.select_for_update(of=("self",)).select_related("number").get(number_id=number_id)
            )
            left = [each for each in health.restrictions if not _is_over(each, at)]
            if len(left) == len(health.restrictions):
                continue
            health.restrictions = left
            health.save(update_fields=["restrictions"])
            _settle_troubles(health.number, health, "restriction", at)
            ended += 1
    return ended


def _is_over(restriction: Mapping[str, Any], at: datetime) -> bool:
    until = restriction.get("until")
    return until is not None and datetime.fromisoformat(until) <= at


def _settle_troubles(number: Number, health: NumberHealth, aspect: str, at: datetime) -> None:
    wrong = _wrong(health)
    for kind in sorted(TROUBLES.get(aspect, ())):
        if kind in wrong:
            detail, since = wrong[kind]
            open_trouble(phone_number_id=number.phone_number_id, kind=kind, at=since, detail=detail)
            # The same whichever word came first; a lane that noticed before is heard by these words too.
            open_now = Trouble.objects.filter(number=number, kind=kind, closed_at=None)
            open_now.update(detail=detail[:200], opened_at=since)
        else:
            # Never before it was opened: a lane may have noticed later than Meta's moment.
            opened = Trouble.objects.filter(number=number, kind=kind, closed_at=None).values_list(
                "opened_at", flat=True
            )
            close_troubles(phone_number_id=number.phone_number_id, kinds=[kind], at=max([at, *opened]))


def _wrong(health: NumberHealth) -> dict[Trouble.Kind, tuple[str, datetime]]:
    """Return what is wrong by what Meta said: each with Meta's words for it, and since when."""
    held = {"restriction": ", ".join(str(each["type"]) for each in health.restrictions), "violation": health.violation}
    held["ban"] = health.account_state if health.account_state == "SCHEDULE_FOR_DISABLE" else ""
    held["review"] = "REVIEW_REJECTED" if health.account_review == "REJECTED" else ""
    said = {
        Trouble.Kind.QUALITY: {"quality": "RED" if health.quality == "RED" else ""},
        Trouble.Kind.LOCKED: {"ban": "DISABLE" if health.account_state == "DISABLE" else ""},
        Trouble.Kind.DISCONNECTED: {"connection": health.connection if health.connection in GONE else ""},
        Trouble.Kind.RESTRICTED: held,
        Trouble.Kind.PIN: {"pin": health.pin_event if health.pin_event in PIN_OPEN else ""},
        Trouble.Kind.STANDBY: {"standby": "standby" if health.standby_at else ""},
    }
    found: dict[Trouble.Kind, tuple[str, datetime]] = {}
    for kind, words in said.items():
        wrong = {aspect: word for aspect, word in words.items() if word}
        if wrong:
            since = min(datetime.fromisoformat(health.told[aspect][0]) for aspect in wrong)
            found[kind] = (", ".join(wrong.values()), since)
    return found


def _longest(field: str) -> int | None:
    return getattr(NumberHealth._meta.get_field(field), "max_length", None)
