"""Who may be written to first: what citizens said about it, appended and never changed, and what follows for sending.

A template goes only to who wrote to the municipality before or is known to have agreed, and to nobody who opted out,
crisis or not. A free reply inside the service window is an answer, and is always allowed. The latest word stands.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.record import Actor, record
from messaging.announcing import announce
from messaging.models import Consent, Contact, Message, OutboxItem, Thread

OPTED_OUT, OPT_IN_NEEDED = "opted_out", "opt_in_needed"
MOST_HOW, MOST_EVIDENCE = 500, 200  # characters

_CITIZEN = Actor(schema="", id="contact", name="contact")


class NotConsented(Exception):
    """Somebody may not be written to first. code: opted_out, or opt_in_needed; contact_ids: who."""

    def __init__(self, *, code: str, contact_ids: Collection[UUID]) -> None:
        super().__init__(code)
        self.code = code
        self.contact_ids = tuple(contact_ids)


class InvalidConsent(ValueError):
    """A consent that cannot be recorded. code: consent_how_missing, consent_in_future."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def record_opt_in(
    *,
    contact: Contact,
    at: datetime,
    source: Consent.Source,
    recorded_at: datetime | None = None,
    how: str = "",
    evidence: str = "",
    wamid: str | None = None,
    confirmation: Message | None = None,
    actor: Actor | None = None,
) -> Consent:
    """Append that a contact agreed to be written to first; what was told before is returned, not told again.

    at: when the contact said so (Meta's stamp); recorded_at: now, where that is later. how: in which words or on which
    form; evidence: where the proof lies. actor: who recorded it, where it was not the contact.
    Raises InvalidConsent: recorded without saying how, or of a moment to come.
    """
    given = {"how": how, "evidence": evidence, "wamid": wamid, "confirmation": confirmation}
    return _append(contact, Consent.Word.OPT_IN, source, at, recorded_at or at, actor or _CITIZEN, given)


@transaction.atomic
def record_opt_out(
    *,
    contact: Contact,
    at: datetime,
    source: Consent.Source,
    recorded_at: datetime | None = None,
    how: str = "",
    evidence: str = "",
    wamid: str | None = None,
    confirmation: Message | None = None,
    actor: Actor | None = None,
) -> Consent:
    """Append that a contact wants no messages any more, and take back the templates that still wait to be sent to them.

    Values and errors are those of `record_opt_in`.
    """
    given = {"how": how, "evidence": evidence, "wamid": wamid, "confirmation": confirmation}
    consent = _append(contact, Consent.Word.OPT_OUT, source, at, recorded_at or at, actor or _CITIZEN, given)
    honour(contact=_lock(contact))
    return consent


def honour(*, contact: Contact) -> None:
    """Take back the templates that wait for a lane, if the contact's standing word is that none is wanted."""
    latest = standing(contact=contact)
    if latest is not None and latest.word == Consent.Word.OPT_OUT:
        _take_back(contact)


def standing(*, contact: Contact) -> Consent | None:
    """Return the word that stands about a contact, or None when none was ever said."""
    return standings(contact_ids=[contact.id]).get(contact.id)


def standings(*, contact_ids: Collection[UUID]) -> dict[UUID, Consent]:
    """Return the word that stands about each of many contacts that are nobody else's; by two queries."""
    found: dict[UUID, Consent] = {}
    # In the same second the cautious word comes last: OPT_OUT.
    own = Consent.objects.filter(contact_id__in=contact_ids).select_related("contact")
    merged = Consent.objects.filter(contact__merged_into_id__in=contact_ids).select_related("contact")
    for consent in sorted([*own, *merged], key=lambda each: (each.at, each.word, each.id)):
        found[consent.contact.merged_into_id or consent.contact_id] = consent
    return found


def history(*, contact: Contact) -> QuerySet[Consent]:
    """Return all that was said about a contact, the latest first."""
    said = Consent.objects.filter(Q(contact=contact) | Q(contact__merged_into=contact))
    return said.order_by("-at", "-word", "-id")


def refusals(*, contact_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return who of these contacts may not be written to first, each with why: opted_out or opt_in_needed."""
    said = standings(contact_ids=contact_ids)
    refused = {id_: OPTED_OUT for id_, consent in said.items() if consent.word == Consent.Word.OPT_OUT}
    unknown = set(contact_ids) - set(said)
    if unknown:
        threads = Thread.objects.filter(contact_id__in=unknown, last_inbound_at__isnull=False)
        refused |= dict.fromkeys(unknown - set(threads.values_list("contact_id", flat=True)), OPT_IN_NEEDED)
    return refused


def check(*, contact_ids: Collection[UUID]) -> None:
    """Do nothing when all of these contacts may be written to first.  Raises NotConsented."""
    refused = refusals(contact_ids=contact_ids)
    for code in (OPTED_OUT, OPT_IN_NEEDED):
        named = [id_ for id_, why in refused.items() if why == code]
        if named:
            raise NotConsented(code=code, contact_ids=named)


@transaction.atomic
def _append(
    contact: Contact,
    word: Consent.Word,
    source: Consent.Source,
    at: datetime,
    recorded_at: datetime,
    actor: Actor,
    given: Mapping[str, object],
) -> Consent:
    if source == Consent.Source.RECORDED and at > recorded_at:
        raise InvalidConsent("consent_in_future")
    if source == Consent.Source.RECORDED and word == Consent.Word.OPT_IN and not str(given["how"]).strip():
        raise InvalidConsent("consent_how_missing")
    person = _lock(contact)
    same = Consent.objects.filter(contact=contact, word=word, source=source, at=at)
    if source == Consent.Source.RECORDED:
        same = same.filter(how=given["how"], evidence=given["evidence"])
    told = same.first()
    if told is not None:
        return told
    consent = Consent.objects.create(
        contact=contact,
        word=word,
        source=source,
        at=at,
        recorded_at=recorded_at,
        actor_schema=actor.schema,
        actor_id=actor.id,
        actor_name=actor.name,
        **given,
    )
    announce(threads=list(Thread.objects.filter(contact=person, state=Thread.State.OPEN).values_list("id", flat=True)))
    action = f"consent.{word.lower()}"
    record(action=action, actor=actor, at=recorded_at, subject=f"contact {contact.id}", details={"source": source})
    return consent


def _lock(contact: Contact) -> Contact:
    """Lock the contact, or the one that it became part of, and return it.

    One after the other with whoever sends to this person: a template is either refused, or taken back.
    """
    while True:
        # Not the merged row: who merges locks that after the one that stays.
        merged_into = Contact.objects.filter(id=contact.id).values_list("merged_into_id", flat=True).first()
        id_ = contact.id if merged_into is None else merged_into
        contact = Contact.objects.select_for_update(no_key=True).get(id=id_)
        if contact.merged_into_id is None:
            return contact


def _take_back(contact: Contact) -> None:
    """Fail the templates that wait for a lane. What a lane has claimed is under way, and goes at most this once."""
    # A lane that is just putting one back is waited for; one that does so later sees it (lanes/putting_back.py).
    open_states = (Message.State.QUEUED, Message.State.SENDING)
    templates = Message.objects.filter(kind="template", outbox_item__contact=contact)
    locked = templates.select_for_update(of=("self",), no_key=True).filter(state__in=open_states)
    list(locked.order_by("id").values_list("id", flat=True))
    waiting = templates.filter(state=Message.State.QUEUED, outbox_item__claimed_by=None)
    ids = list(waiting.values_list("id", flat=True))
    if ids:
        OutboxItem.objects.filter(message_id__in=ids).delete()
        messages = Message.objects.filter(id__in=ids)
        messages.update(state=Message.State.FAILED, failed_reason=OPTED_OUT)
        announce(threads=set(messages.values_list("thread_id", flat=True)))
