"""Agents at play: what the demo's agents do, through the domain calls that the agents' pages use. Not for production.

They answer every thread that waits, except that they may overlook one in a few; when its window has closed, they send a
template. What they would do now depends on the database alone, so that the demo can tell when they are done.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import RoleGrant, User
from accounts.roles import MunicipalRole
from audit.record import Actor
from messaging import consent, window
from messaging.models import Template, Thread
from messaging.replying import reply, send_template
from messaging.threads import waiting

OVERLOOKED_ONE_IN = 9
ANSWERS = (
    "Goedendag, dank voor uw bericht. Wij zoeken het voor u uit en laten vandaag van ons horen.",
    "Goedendag! U kunt hiervoor zonder afspraak terecht bij de balie, op werkdagen van 9.00 tot 16.00 uur.",
    "Dank u wel voor de melding. De buitendienst is op de hoogte en pakt dit binnen drie werkdagen op.",
    "Goedendag, dit regelt u het snelst via onze website, onder Verhuizen. Lukt het niet, dan helpen wij u graag.",
    "Goedemiddag, wij hebben uw bericht doorgegeven aan de afdeling Vergunningen. Zij nemen contact met u op.",
)
FOLLOW_UP = "vervolg_op_uw_vraag"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent would do with one thread now: reply, or send the template because its window has closed."""

    thread: Thread
    with_template: bool


def find_answers(*, at: datetime, overlook: bool = True) -> Iterator[Answer]:
    """Return what the agents of this schema would do now, those who wait longest first.

    overlook: leave one in a few unanswered, as happens to people.
    """
    for thread in Thread.objects.filter(waiting()).select_related("contact").order_by("waiting_since", "id"):
        if not window.is_open(last_inbound_at=thread.last_inbound_at, at=at):
            if not consent.refusals(contact_ids=[thread.contact_id]):  # else nobody may write to them now
                yield Answer(thread=thread, with_template=True)
        elif not (overlook and _overlooked(thread)):
            yield Answer(thread=thread, with_template=False)


def act(*, answer: Answer, actor: Actor, at: datetime) -> None:
    """Do it, through the domain call that a page would make."""
    thread = answer.thread
    if answer.with_template:
        values = {"naam": thread.contact.profile_name or "inwoner", "onderwerp": "uw vraag"}
        template = Template.objects.get(name=FOLLOW_UP, language="nl")
        send_template(thread_id=thread.id, template_id=template.id, values=values, actor=actor, at=at)
    else:
        text = ANSWERS[_seed(thread) % len(ANSWERS)]
        reply(thread_id=thread.id, text=text, actor=actor, at=at)


@transaction.atomic
def agent(*, schema_name: str) -> User:
    """Return this schema's agent at play, made when there is none."""
    user, made = User.objects.get_or_create(email=f"agent@{schema_name}.example", defaults={"name": "Medewerker KCC"})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        RoleGrant.objects.create(user=user, role=MunicipalRole.AGENT)
    return user


def _overlooked(thread: Thread) -> bool:
    return _seed(thread) % OVERLOOKED_ONE_IN == 0


def _seed(thread: Thread) -> int:
    assert thread.waiting_since is not None
    ids = (thread.contact.wa_id or thread.contact.bsuid or "").encode()
    return int(thread.waiting_since.timestamp()) + sum(ids)
