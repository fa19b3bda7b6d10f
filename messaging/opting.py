"""What a citizen's single word does: STOP and AFMELDEN end all templates, START and AANMELDEN allow them again.

Called at the end of a batch of what came in, in its transaction. Each word is kept once, by its wamid, and a word that
changes something is confirmed once, in the same transaction; so a replay does neither again, whatever the order.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from audit.record import Actor
from messaging import consent, window
from messaging.models import Consent, Message, OutboxItem, Thread
from messaging.replying import Draft, queue
from whatsapp.outgoing import Text

# Alone in a message, whatever the case and the signs around it. The language is that of the confirmation; words that
# both languages have are confirmed in both.
DUTCH, ENGLISH, BOTH = "nl", "en", "nl en"
WORDS: dict[str, tuple[Consent.Word, str]] = {
    "stop": (Consent.Word.OPT_OUT, BOTH),
    "stoppen": (Consent.Word.OPT_OUT, DUTCH),
    "stop berichten": (Consent.Word.OPT_OUT, DUTCH),
    "afmelden": (Consent.Word.OPT_OUT, DUTCH),
    "meld af": (Consent.Word.OPT_OUT, DUTCH),
    "meld mij af": (Consent.Word.OPT_OUT, DUTCH),
    "uitschrijven": (Consent.Word.OPT_OUT, DUTCH),
    "schrijf mij uit": (Consent.Word.OPT_OUT, DUTCH),
    "unsubscribe": (Consent.Word.OPT_OUT, ENGLISH),
    "stop messages": (Consent.Word.OPT_OUT, ENGLISH),
    "opt out": (Consent.Word.OPT_OUT, ENGLISH),
    "optout": (Consent.Word.OPT_OUT, ENGLISH),
    "start": (Consent.Word.OPT_IN, BOTH),
    "aanmelden": (Consent.Word.OPT_IN, DUTCH),
    "meld mij aan": (Consent.Word.OPT_IN, DUTCH),
    "subscribe": (Consent.Word.OPT_IN, ENGLISH),
    "opt in": (Consent.Word.OPT_IN, ENGLISH),
    "optin": (Consent.Word.OPT_IN, ENGLISH),
}
# A tap on a template's quick reply says as much as typing it; an answer to a menu of ours ("Start") does not.
KINDS = frozenset({"button", "text"})
LONGEST = 40  # characters: longer is no single word

CONFIRMATIONS = {
    (Consent.Word.OPT_OUT, DUTCH): (
        "U bent afgemeld: gemeente {place} stuurt u uit zichzelf geen WhatsApp-berichten meer. "
        "Een vraag stellen kan hier altijd. Wilt u weer berichten ontvangen? Stuur dan START."
    ),
    (Consent.Word.OPT_OUT, ENGLISH): (
        "You are unsubscribed: the municipality of {place} will no longer start WhatsApp conversations with you. "
        "You can always ask a question here. To receive messages again, send START."
    ),
    (Consent.Word.OPT_IN, DUTCH): (
        "U bent aangemeld: gemeente {place} mag u weer WhatsApp-berichten sturen. Afmelden kan altijd: stuur STOP."
    ),
    (Consent.Word.OPT_IN, ENGLISH): (
        "You are subscribed: the municipality of {place} may send you WhatsApp messages again. "
        "You can always unsubscribe: send STOP."
    ),
}

_SIGNS = re.compile(r"[\W_]+")


def meant(*, kind: str, text: str) -> tuple[Consent.Word, str] | None:
    """Return what a message says about being written to, and in which language, or None when it says nothing of it."""
    if kind not in KINDS or len(text) > LONGEST:
        return None
    words = _SIGNS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split()
    return WORDS.get(" ".join(dict.fromkeys(words)))  # "stop stop" is "stop"


def follow(*, written: Sequence[Message], place: str, at: datetime) -> None:
    """Record and confirm what these new messages say about being written to; most say nothing of it.

    place: the municipality's name. Confirms by a free text, so only inside the service window.
    """
    said = [message.id for message in written if meant(kind=message.kind, text=message.text)]
    if said:
        # Read again: whose they are may have changed since they were stored, by a merge in the same batch.
        messages = Message.objects.filter(id__in=said).select_related("thread__contact")
        for message in messages.order_by("stamped_at", "wamid"):
            _follow(message, place=place, at=at)


def _follow(message: Message, *, place: str, at: datetime) -> None:
    found = meant(kind=message.kind, text=message.text)
    assert found is not None
    word, language = found
    contact, stamped_at = message.thread.contact, message.stamped_at
    before = consent.standing(contact=contact)
    # Who never said anything gains nothing by START: they may be written to already, because they wrote.
    changes = before.word != word and before.at <= stamped_at if before else word == Consent.Word.OPT_OUT
    note = consent.record_opt_out if word == Consent.Word.OPT_OUT else consent.record_opt_in
    note(
        contact=contact,
        at=stamped_at,
        recorded_at=at,
        source=Consent.Source.MESSAGE,
        wamid=message.wamid,
        confirmation=_confirm(message.thread, word, language, place=place, at=at) if changes else None,
    )


def _confirm(thread: Thread, word: Consent.Word, language: str, *, place: str, at: datetime) -> Message | None:
    if thread.state != Thread.State.OPEN or not window.is_open(last_inbound_at=thread.last_inbound_at, at=at):
        return None
    text = "\n\n".join(CONFIRMATIONS[word, one].format(place=place) for one in language.split())
    draft = Draft(thread=thread, content=Text(body=text), text=text)
    actor = Actor.system("opt-out" if word == Consent.Word.OPT_OUT else "opt-in")
    # The word itself asks nothing (messaging/threads.py): who asked something before it still waits.
    return queue(drafts=[draft], priority=OutboxItem.Priority.REPLY, actor=actor, at=at, answers=False)[0]
