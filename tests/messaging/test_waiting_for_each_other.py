"""Agents and citizens at the same moment: they wait for each other, never in a ring, and nothing is lost."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction
from django_tenants.utils import schema_context
from psycopg.errors import DeadlockDetected

from audit.record import Actor
from messaging import inbox, incoming, receiving
from messaging.models import Contact, InboxEvent, Message, MessageStatus, Thread
from messaging.replying import reply
from tests.messaging import meta

AGENT = Actor.system("tests")


def at_once(*calls) -> list[BaseException]:
    """Run calls in threads of their own, at once; return what broke."""

    def run(call):
        try:
            with schema_context("utrecht"):
                call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        running = [threads.submit(run, call) for call in calls]
    return [error for each in running if (error := each.exception()) is not None]


@pytest.fixture
def thread(committing_db, utrecht, clock) -> Thread:
    """Return the open thread of a citizen who wrote just now, in a database in which commits are real."""
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        return Thread.objects.get()


@pytest.fixture
def deadlocks(monkeypatch) -> list[str]:
    """Count the batches that PostgreSQL chose to break a deadlock."""
    seen: list[str] = []
    monkeypatch.setattr(inbox.log, "warning", lambda event, **_: seen.append(event))
    return seen


class TestReplyAndMessage:
    def test_a_reply_that_has_begun_and_the_same_citizens_next_message_both_go_on(
        self, thread, utrecht, clock, deadlocks, monkeypatch
    ):
        """The reply holds its thread when the message comes; then it needs the contact, as the message does."""
        meta.store(utrecht, meta.message(utrecht, wamid="wamid.IN2", bsuid="NL.Piet00001", at=clock.now()))
        begun = threading.Event()
        original = receiving.ContactBook.load

        def load(book, *named):
            original(book, *named)
            begun.set()
            time.sleep(0.3)  # so long that the reply is at its locks

        monkeypatch.setattr(receiving.ContactBook, "load", load)

        def answer():
            assert begun.wait(10)
            reply(thread_id=thread.id, text="Op de Markt.", actor=AGENT, at=clock.now())

        assert at_once(answer, lambda: inbox.drain(schema_name="utrecht")) == []
        assert deadlocks == []
        with schema_context("utrecht"):
            assert Message.objects.count() == 3
            assert not InboxEvent.objects.exclude(state="APPLIED").exists()

    def test_many_of_both_at_once_lose_nothing(self, thread, utrecht, clock, deadlocks):
        def answers():
            for n in range(15):
                reply(thread_id=thread.id, text=f"Antwoord {n}", actor=AGENT, at=clock.now())

        def citizens():
            for n in range(15):
                wrote = meta.message(utrecht, wamid=f"wamid.{n}", name=f"Piet {n}", bsuid="NL.Piet00001")
                meta.store(utrecht, wrote)
                inbox.drain(schema_name="utrecht")

        assert at_once(answers, citizens, answers) == []
        assert deadlocks == []
        with schema_context("utrecht"):
            assert Message.objects.filter(direction="OUTBOUND").count() == 30
            assert Message.objects.filter(direction="INBOUND").count() == 16


class TestADeadlock:
    def test_its_batch_is_tried_again_at_once(self, thread, utrecht, clock, deadlocks, monkeypatch):
        """Somebody else holds the locks in the other order; PostgreSQL ends the drain's transaction."""
        meta.store(utrecht, meta.message(utrecht, wamid="wamid.IN2", at=clock.now()))
        has_thread, has_contact = threading.Event(), threading.Event()
        original = receiving.ContactBook.load

        def load(book, *named):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '100ms'")  # it is the one that looks, and so that ends
            assert has_thread.wait(10)
            original(book, *named)
            has_contact.set()

        monkeypatch.setattr(receiving.ContactBook, "load", load)

        def other_order():
            with transaction.atomic():
                Thread.objects.select_for_update().get(id=thread.id)
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL deadlock_timeout = '20s'")
                has_thread.set()
                assert has_contact.wait(10)
                Contact.objects.select_for_update().get(id=thread.contact_id)

        assert at_once(other_order, lambda: inbox.drain(schema_name="utrecht")) == []
        assert deadlocks == ["inbox_deadlock"]
        with schema_context("utrecht"):
            assert Message.objects.count() == 2
            assert not InboxEvent.objects.exclude(state="APPLIED").exists()

    def test_one_that_never_ends_is_left_to_the_sweep(self, thread, utrecht, deadlocks, monkeypatch):
        meta.store(utrecht, meta.message(utrecht, wamid="wamid.IN2"))

        def always(**_):
            raise OperationalError from DeadlockDetected()

        monkeypatch.setattr(receiving, "apply", always)
        with pytest.raises(OperationalError):
            inbox.drain(schema_name="utrecht")
        assert len(deadlocks) == inbox.MOST_DEADLOCKS
        with schema_context("utrecht"):
            assert InboxEvent.objects.filter(state="OPEN").count() == 1


class TestAtTheCommit:
    def test_an_event_that_fails_there_is_laid_aside_alone(self, thread, utrecht, clock, monkeypatch):
        """A foreign key is checked at the end of the transaction, when the batch's work is done."""
        wrote = [meta.message(utrecht, wamid=f"wamid.{n}", at=clock.now()) for n in range(3)]
        original = incoming.parse_message

        def dangles(*, payload):
            if payload["element"]["id"] == "wamid.1":
                MessageStatus.objects.create(message_id=thread.id, status="read", stamped_at=clock.now())
            return original(payload=payload)

        monkeypatch.setattr(incoming, "parse_message", dangles)
        with schema_context("utrecht"):
            meta.receive(utrecht, *wrote)
            assert set(Message.objects.values_list("wamid", flat=True)) == {"wamid.IN1", "wamid.0", "wamid.2"}
            dead = InboxEvent.objects.get(state="DEAD")
            assert (dead.payload["element"]["id"], dead.reason) == ("wamid.1", "failed: IntegrityError")
