"""Looks and webhooks through each other: what we know is right in the end, or another look has been asked for."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django_tenants.utils import schema_context
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from audit.record import Actor
from messaging.models import Message, OutboxItem, Template, Thread
from messaging.replying import send_template
from messaging.templates import updates
from messaging.templates.taking import Components, Source, StatusWord, Word, take
from tests.messaging import meta

NAME = "vervolg_op_uw_vraag"
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BODIES = ("Dag {{naam}}, wij hebben nieuws voor u.", "Dag {{naam}}, wij hebben geen nieuws voor u.")
CHANGES = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(["APPROVED", "PAUSED", "DISABLED", "REJECTED"])),
    st.tuples(st.just("category"), st.sampled_from(["UTILITY", "MARKETING"])),
    st.tuples(st.just("quality"), st.sampled_from(["GREEN", "YELLOW", "RED"])),
    st.tuples(st.just("body"), st.sampled_from(BODIES)),
)
CHANGE = st.tuples(st.just("change"), st.integers(1, 9), CHANGES)
ARRIVAL = st.tuples(st.sampled_from(["deliver", "deliver", "lose"]), st.integers(0, 9))
# A look, and what happens between the reading and the writing.
LOOK = st.tuples(st.just("look"), st.lists(st.one_of(CHANGE, ARRIVAL), max_size=3))
STEPS = st.lists(st.one_of(CHANGE, ARRIVAL, LOOK), min_size=2, max_size=14)


class Meta:
    """Meta's side: how the template is, and the webhooks that are still under way."""

    def __init__(self, template: Template) -> None:
        """Begin with a template that is approved."""
        self.template_id = template.id
        self.now = BEGIN
        self.truth = {"status": "APPROVED", "category": "UTILITY", "quality": "GREEN", "body": BODIES[0]}
        self.under_way: list[tuple[datetime, str, dict[str, Any]]] = []
        self.doubtful = self.missed = False
        self.looked_at = BEGIN
        self.look([])

    def play(self, step: tuple[Any, ...]) -> None:
        """Do one step."""
        self.now += timedelta(milliseconds=700)
        match step:
            case ("change", seconds, (aspect, value)):
                self.now += timedelta(seconds=seconds)
                self.change(aspect, value)
            case ("deliver", which):
                self.deliver(which)
            case ("lose", which):
                self.lose(which)
            case ("look", meanwhile):
                self.look(meanwhile)

    def change(self, aspect: str, value: str) -> None:
        """Decide something, and send the webhook that says so."""
        before, self.truth[aspect] = self.truth[aspect], value
        field, said = {
            "status": ("message_template_status_update", {"event": value}),
            "category": ("template_category_update", {"previous_category": before, "new_category": value}),
            "quality": ("message_template_quality_update", {"new_quality_score": value}),
            "body": ("message_template_components_update", {"message_template_element": value}),
        }[aspect]
        self.under_way.append((self.now, field, said))

    def deliver(self, which: int) -> None:
        """Have one of the webhooks arrive."""
        if not self.under_way:
            return
        at, field, said = self.under_way.pop(which % len(self.under_way))
        word = updates.FIELDS[field](said, at.replace(microsecond=0), "")
        self.doubtful |= take(template=self._template(), word=word).doubtful

    def lose(self, which: int) -> None:
        """Have one of the webhooks never arrive: only the next look can know what it said."""
        if self.under_way:
            at, _, _ = self.under_way.pop(which % len(self.under_way))
            self.missed |= at > self.looked_at

    def look(self, meanwhile: list[tuple[Any, ...]]) -> None:
        """Look at the template; things happen between the reading and the writing."""
        known = self._template().stamps
        word = Word(
            at=self.now,
            source=Source.LOOK,
            status=StatusWord(Template.Status(self.truth["status"])),
            category=self.truth["category"],
            quality=self.truth["quality"],
            components=Components([{"type": "BODY", "text": self.truth["body"]}], "NAMED"),
        )
        self.doubtful = self.missed = False
        self.looked_at = self.now
        for step in meanwhile:
            self.play(step)
        self.doubtful |= take(template=self._template(), word=word, known=known).doubtful

    def known(self) -> dict[str, str]:
        """Return how the template is here."""
        found = self._template()
        return {name: getattr(found, name) for name in self.truth}

    def _template(self) -> Template:
        return Template.objects.get(id=self.template_id)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# A pause of long ago arrives after a look that found it over, and the webhook that said so was lost.
@example(
    steps=[
        *(("change", 1, ("status", "PAUSED")), ("change", 9, ("status", "APPROVED"))),
        *(("lose", 1), ("look", [])),
    ],
    last=[0],
)
@given(steps=STEPS, last=st.lists(st.integers(0, 9), max_size=14))
def test_once_all_is_told_what_is_known_is_right_or_another_look_was_asked_for(utrecht, here, steps, last):
    with transaction.atomic():
        side = Meta(Template.objects.get(name=NAME))
        for step in steps:
            side.play(step)
        for which in [*last, *[0] * len(side.under_way)]:
            side.deliver(which)
        assert side.doubtful or side.missed or side.known() == side.truth
        side.now += timedelta(seconds=1)
        side.look([])
        assert side.known() == side.truth
        transaction.set_rollback(True)


def test_a_message_that_is_just_being_queued_does_not_slip_through(committing_db, utrecht, clock):
    with schema_context("utrecht"):
        Template.objects.filter(name=NAME).update(status="APPROVED")
        template = Template.objects.get(name=NAME)
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        thread = Thread.objects.get()
    told = threading.Event()

    def tell() -> None:
        try:
            with schema_context("utrecht"):
                value = {
                    "message_template_name": NAME,
                    "message_template_language": "nl",
                    "previous_category": "UTILITY",
                    "new_category": "MARKETING",
                }
                field = "template_category_update"
                updates.apply(field=field, value=value, waba_id=template.waba_id, at_entry=clock.now())
                told.set()
        finally:
            connection.close()

    teller = threading.Thread(target=tell)
    with schema_context("utrecht"):
        with transaction.atomic():
            send_template(
                thread_id=thread.id,
                template_id=template.id,
                values={"naam": "Piet", "onderwerp": "uw vraag"},
                actor=Actor.system("tests"),
                at=clock.now(),
            )
            teller.start()
            assert not told.wait(0.5)  # it waits for the message
        teller.join(10)
        assert told.is_set()
        message = Message.objects.get(direction="OUTBOUND")
        assert (message.state, message.failed_reason) == ("FAILED", "template_marketing")
        assert not OutboxItem.objects.exists()
