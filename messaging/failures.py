"""Why a message failed, in the reader's language: Meta's code in plain words, or what we found out ourselves.

A message keeps the code (`failed_code`) and a word (`failed_reason`): Meta's title, or one of ours below.
"""

from messaging.models import Message
from whatsapp.reasons import Reason, reason_of

WINDOW_CLOSED = "window_closed_waiting"
FIRST_ARRIVED = "first_arrived"
NO_REASON = "no_reason"

OURS: dict[str, Reason] = {
    WINDOW_CLOSED: Reason(
        "De 24 uur waarin u vrij mocht antwoorden liepen af voordat dit kon worden verzonden. "
        "Stuur een template, of gebruik een ander kanaal.",
        "The 24 hours in which you could answer freely ended before this could be sent. "
        "Send a template, or use another channel.",
    ),
    FIRST_ARRIVED: Reason(
        "Niet opnieuw verzonden: het eerste bericht bleek intussen toch verzonden.",
        "Not sent again: meanwhile the first message turned out to have been sent after all.",
        helps_again=False,
    ),
    NO_REASON: Reason("WhatsApp gaf geen reden.", "WhatsApp gave no reason."),
    "INVALID_REQUEST": Reason(
        "Van dit bericht kon geen verzoek aan WhatsApp worden gemaakt. Meld het bij uw leverancier.",
        "No request to WhatsApp could be made of this message. Report it to your provider.",
        helps_again=False,
    ),
    "UNTRUSTED_URL": Reason(
        "Het adres van de bijlage is niet te vertrouwen. Meld het bij uw leverancier.",
        "The address of the attachment cannot be trusted. Report it to your provider.",
        helps_again=False,
    ),
    "opted_out": Reason(
        "Deze inwoner heeft gevraagd geen berichten meer te krijgen. Gebruik een ander kanaal als het moet.",
        "This citizen asked for no messages any more. Use another channel if need be.",
        helps_again=False,
    ),
}


def reason_in_words(*, message: Message, language: str | None) -> str:
    """Return why a message failed, in Dutch or English; what Meta said where neither knows words for it."""
    reason = _reason(message)
    return reason.in_language(language) if reason else message.failed_reason


def helps_again(*, message: Message) -> bool:
    """Return whether a message that failed may arrive when it is sent again. Of an unknown reason it may."""
    reason = _reason(message)
    return reason.helps_again if reason else True


def _reason(message: Message) -> Reason | None:
    known = reason_of(code=message.failed_code) if message.failed_code is not None else None
    return known or OURS.get(message.failed_reason)
