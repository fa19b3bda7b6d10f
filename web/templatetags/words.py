"""The words of web/words.py, moments, money and numbers, as filters of the templates."""

import json
from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from accounts.models import ApiKey
from messaging.failures import reason_in_words
from messaging.models import Message
from messaging.sensitive import mask
from messaging.templates.checking import Problem
from messaging.trouble_words import ADVICE, TITLES
from tenants.models import BreakGlass
from web import collection_words, desk_words, formatting, people_words, template_words, words

register = template.Library()
TABLES: dict[str, dict[str, Promise]] = {
    "stage": words.STAGES,
    "message_state": words.MESSAGE_STATES,
    "kind": words.KINDS,
    "consent": words.CONSENTS,
    "consent_source": words.CONSENT_SOURCES,
    "decision": words.DECISIONS,
    "quality": words.QUALITIES,
    "template_state": words.TEMPLATE_STATES,
    "purpose": words.PURPOSES,
    "category": words.CATEGORIES,
    "role": words.ROLES,
    "trouble": words.TROUBLES,
    "invoice_state": words.INVOICE_STATES,
    "line_kind": words.LINE_KINDS,
    "collection": collection_words.COLLECTION_STEPS,
    "stripe_status": collection_words.STRIPE_STATUSES,
    "collection_trouble": collection_words.COLLECTION_TROUBLES,
    "age": words.AGES,
    "language": words.LANGUAGES,
    "refusal": words.REFUSALS,
    "close_reason": words.CLOSE_REASONS,
    "action": words.ACTIONS,
    "outcome": words.OUTCOMES,
    "waiting": words.WAITING,
    "waits_for": words.WAITS_FOR,
    "prohibition": words.PROHIBITIONS,
    "change_state": words.CHANGE_STATES,
    "review_state": template_words.REVIEW_STATES,
    "scope": words.SCOPES,
    "key_state": words.KEY_STATES,
    "entry_state": words.ENTRY_STATES,
    "entry_role": words.ENTRY_ROLES,
    "template_alert": template_words.ALERTS,
    "template_aspect": template_words.ASPECTS,
    "template_place": template_words.PLACES,
    "template_reason": template_words.REASONS,
    "user_state": people_words.USER_STATES,
    "invitation": people_words.INVITATION_STATES,
    "step": people_words.STEPS,
    "unreadable": template_words.UNREADABLE,
    "version_source": template_words.SOURCES,
    "hidden": desk_words.HIDDEN,
    "colour": desk_words.COLOURS,
}
# Which colour a state has beside its word: good, waiting, bad; none for what is neither.
TONES = {
    **dict.fromkeys(("LIVE", "ACTIVE", "APPROVED", "RELEASED", "PAID", "FINALISED", "GREEN"), "good"),
    **dict.fromkeys(
        ("PENDING", "WAITING", "PAUSED", "REVIEW", "GOVERNMENT_APPROVAL_PENDING", "UNCERTAIN", "YELLOW"), "waiting"
    ),
    **dict.fromkeys(("REJECTED", "REFUSED", "DISABLED", "SUSPENDED", "FAILED", "RESTING", "RED"), "bad"),
    **dict.fromkeys(("IN_APPEAL", "FLAGGED", "ARCHIVED", "PENDING_DELETION", "WITH_PROBLEMS"), "waiting"),
    **dict.fromkeys(("LIMIT_EXCEEDED", "LOCKED", "DELETED", "REVOKED"), "bad"),
    **dict.fromkeys(("REQUESTED", "OPEN", "EXPIRED"), "waiting"),
    **dict.fromkeys(("REGISTERED", "DONE"), "good"),
    **dict.fromkeys(("DECLARED", "RUNNING"), "waiting"),
}


@register.filter
def word(code: str | int, table: str) -> str:
    """Return the word for a code; a code without one, which is Meta's then, as it came."""
    return str(TABLES[table].get(str(code), code))


@register.filter
def masked(text: str) -> str:
    """Return a text in which numbers are masked that not everyone has to read."""
    return mask(text=text)


@register.filter
def formatted(text: str) -> str:
    """Return a message with WhatsApp's own marks as HTML."""
    return formatting.formatted(text)


@register.filter
def state_of_entry(entry: BreakGlass, now: datetime) -> str:
    """Return the code of what an entry is now: also when nobody wrote down yet that its time is over."""
    if not entry.is_over(at=now):
        return str(entry.state)
    over = {"REQUESTED": "LAPSED", "APPROVED": "LAPSED", "OPEN": "ENDED"}
    return over.get(entry.state, entry.state)


@register.filter
def state_of_key(key: ApiKey, now: datetime) -> str:
    """Return the code of how a key is now."""
    if key.revoked_at is not None:
        return "REVOKED"
    return "EXPIRED" if key.expires_at is not None and key.expires_at <= now else "ACTIVE"


@register.filter
def sync_failure(code: str) -> str:
    """Return why a look at Meta's templates failed."""
    return template_words.sync_failure(code)


@register.filter
def problem(found: Problem) -> str:
    """Return what is wrong with a draft of a template."""
    return template_words.problem(code=found.code, limit=found.limit, actual=found.actual)


@register.filter
def raw(value: object) -> str:
    """Return JSON of Meta's as it came."""
    return json.dumps(value, ensure_ascii=False, indent=2)


@register.filter
def media_reason(code: str) -> str:
    """Return why a file is not there."""
    return str(words.MEDIA_REASONS.get(code, words.MEDIA_UNREACHABLE))


@register.filter
def media_type(content_type: str) -> str:
    """Return what a file is."""
    return str(words.MEDIA_TYPES.get(content_type, words.MEDIA_TYPE_OF_OTHERS))


@register.filter
def trouble(kind: str) -> str:
    """Return what is wrong with a number, in the reader's language."""
    return TITLES[kind].in_language(get_language())


@register.filter
def advice(kind: str) -> str:
    """Return what that means for who answers citizens."""
    return ADVICE[kind].in_language(get_language())


@register.filter
def failure(message: Message) -> str:
    """Return why a message failed, in the reader's language."""
    said = reason_in_words(message=message, language=get_language())
    return str(words.REFUSALS.get(said, said))


@register.filter
def tone(code: str) -> str:
    """Return the name of a state's colour."""
    return TONES.get(code, "plain")


@register.filter
def tick(state: str) -> str:
    """Return the ticks of an outgoing message."""
    return words.TICKS.get(state, "")


@register.filter
def euros(cents: int) -> str:
    """Return an amount in euros, as the language writes it."""
    return f"€ {formats.number_format(Decimal(cents) / 100, decimal_pos=2, force_grouping=True)}"


@register.filter
def more_or_less(cents: int) -> str:
    """Return a difference in euros with its sign; a dash when there is none."""
    return f"{'+' if cents > 0 else '−'} {euros(abs(cents))}" if cents else "–"


@register.filter
def plain_euros(cents: int) -> str:
    """Return an amount as one fills it in: without sign of euro or parted thousands."""
    return formats.number_format(Decimal(cents) / 100, decimal_pos=2, force_grouping=False, use_l10n=True)


@register.filter
def price(amount: Decimal) -> str:
    """Return a price in euros with as many decimals as it has, two at least."""
    digits = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"€ {formats.number_format(amount, decimal_pos=digits, force_grouping=True)}"


@register.filter
def count(number: int) -> str:
    """Return a whole number with its thousands parted."""
    return formats.number_format(number, decimal_pos=0, force_grouping=True)


@register.filter
def percent(rate: Decimal) -> str:
    """Return a rate, of which 0.21 is 21%."""
    return f"{formats.number_format((rate * 100).normalize(), use_l10n=True)}%"


@register.filter
def month(day: date) -> str:
    """Return a month and its year."""
    return formats.date_format(day, "F Y")


@register.filter
def moment(at: datetime, now: datetime) -> str:
    """Return a moment as people say it: the time today, else the day and time, with its year when it is another."""
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    if local.date() == today:
        return formats.date_format(local, "H:i")
    return _day(local, "%s H:i" if local.year == today.year else "%s Y H:i")


@register.filter
def stamp(at: datetime) -> str:
    """Return a moment in full."""
    return _day(timezone.localtime(at), "%s Y H:i")


@register.filter
def since(at: datetime, now: datetime) -> str:
    """Return how long ago a moment was, in its largest unit."""
    return _duration((now - at).total_seconds())


@register.filter
def until(at: datetime, now: datetime) -> str:
    """Return how long it is until a moment, in hours and minutes."""
    minutes = max(0, int((at - now).total_seconds()) // 60)
    if minutes < 60:
        return _duration(minutes * 60)
    return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.filter
def seconds(number: int) -> str:
    """Return a duration in its largest unit."""
    return _duration(number)


def _day(local: datetime, form: str) -> str:
    # Dutch writes months small, English does not.
    return formats.date_format(local, form % ("j b" if get_language() == "nl" else "j M"))


def _duration(seconds: float) -> str:
    minutes = max(0, int(seconds) // 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 60:
        return ngettext("%(number)d minute", "%(number)d minutes", minutes) % {"number": minutes}
    if minutes < 48 * 60:
        return ngettext("%(number)d hour", "%(number)d hours", minutes // 60) % {"number": minutes // 60}
    return ngettext("%(number)d day", "%(number)d days", minutes // 1440) % {"number": minutes // 1440}
