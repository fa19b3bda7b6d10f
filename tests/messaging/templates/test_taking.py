"""Looks and webhooks through each other: what we know is right in the end, or another look has been asked for."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django_tenants.utils import schema_context
from hypothesis import HealthCheck, given, settings
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
# Seconds until the change, and the change; which of the webhooks under way arrives; a look, and what arrives during it.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(1, 9), CHANGES),
        st.tuples(st.just("deliver"), st.integers(0, 9)),
        st.tuples(st.just("look"), st.lists(st.integers(0, 9), max_size=2)),
    ),
    min_size=2,
    max_size=14,
)


class Meta:
    """Meta's side: how the template is, and the webhooks that are still under way."""

    def __init__(self, template: Template) -> None:
        """Begin with a template that is approved."""
        self.template_id = template.id
        self.now = BEGIN
        self.truth = {"status": "APPROVED", "category": "UTILITY", "quality": "GREEN", "body": BODIES[0]}
        self.under_way: list[tuple[datetime, str, dict[str, Any]]] = []
        self.doubtful = False
        self.look([])

    def change(self, aspect: str, value: str) -> None:
        """Decide something, and send the webhook that says so."""
        before, self.truth[aspect] = self.truth[aspect], value
        field, said = {
            "status": ("message_template_status_update", {"event": value}),
            "category": ("template_category_update", {"previous_category": before, "new_category": value}),
            "quality": ("message_template_quality_update", {"new_quality_score": value}),
            "body": ("message_template_components_update", {"message_template_element": value}),
        }[aspect]
        self.under_way.append((self.now.replace(microsecond=0), field, said))

    def deliver(self, which: int) -> None:
        """Have one of the webhooks arrive."""
        if not self.under_way:
            return
        at, field, said = self.under_way.pop(which % len(self.under_way))
        read = updates.FIELDS[field]
        self.doubtful |= take(template=self._template(), word=read(said, at, "")).doubtful

    def look(self, meanwhile: list[int]) -> None:
        """Look at the template; some webhooks arrive between the reading and the writing."""
        known = self._template().stamps
        word = Word(
            at=self.now,
            source=Source.LOOK,
            status=StatusWord(Template.Status(self.truth["status"])),
            category=self.truth["category"],
            quality=self.truth["quality"],
            components=Components([{"type": "BODY", "text": self.truth["body"]}], "NAMED"),
        )
        self.doubtful = False
        for which in meanwhile:
            self.deliver(which)
        self.doubtful |= take(template=self._template(), word=word, known=known).doubtful

    def known(self) -> dict[str, str]:
        """Return how the template is here."""
        found = self._template()
        return {name: getattr(found, name) for name in self.truth}

    def _template(self) -> Template:
        return Template.objects.get(id=self.template_id)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, last=st.lists(st.integers(0, 9), max_size=14))
def test_once_all_is_told_what_is_known_is_right_or_another_look_was_asked_for(utrecht, here, steps, last):
    with transaction.atomic():
        side = Meta(Template.objects.get(name=NAME))
        for step, *what in steps:
            side.now += timedelta(milliseconds=700)
            if step == "change":
                side.now += timedelta(seconds=what[0])
                side.change(*what[1])
            elif step == "deliver":
                side.deliver(what[0])
            else:
                side.look(what[0])
        for which in [*last, *[0] * len(side.under_way)]:
            side.deliver(which)
        assert side.doubtful or side.known() == side.truth
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
