"""Dead letters are put back when asked, once, noted in the trails, and shown without a citizen's word."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django_tenants.utils import schema_context

from audit.models import Entry
from audit.record import Actor
from messaging import dead_letters, inbox, incoming
from messaging.core.models import Replay
from messaging.dead_letters import Letters, NothingToReplay
from messaging.masking import structure
from messaging.models import InboxEvent, Message
from messaging.tasks import continue_replays
from tests.messaging import meta

OPERATOR = Actor(schema="public", id="7", name="Olga Operator")


@pytest.fixture
def mended(monkeypatch):
    """Return what ends the fault that makes every message of a citizen's named Broken fail."""
    original = incoming.parse_message

    def breaks(*, payload):
        if "broken" in payload["element"]["id"]:
            raise RuntimeError(payload["element"]["text"]["body"])
        return original(payload=payload)

    monkeypatch.setattr(incoming, "parse_message", breaks)
    return lambda: monkeypatch.setattr(incoming, "parse_message", original)


@pytest.fixture
def dead(utrecht, delft, clock, mended):
    """Have three dead letters at Utrecht, of two reasons, and one at Delft."""
    malformed = meta.message(utrecht, wamid="wamid.malformed")
    del malformed["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"]
    with schema_context("utrecht"):
        good = meta.message(utrecht, wamid="wamid.good")
        broken = [meta.message(utrecht, wamid=f"wamid.broken{n}", text="mijn geheim") for n in range(2)]
        meta.receive(utrecht, good, malformed, *broken)
    with schema_context("delft"):
        meta.receive(delft, meta.message(delft, wamid="wamid.broken9"))
    clock.move(minutes=5)
    return mended


def states(schema_name: str) -> list[str]:
    with schema_context(schema_name):
        return sorted(InboxEvent.objects.values_list("state", flat=True))


def replay(clock, **letters):
    asked = dead_letters.ask(letters=Letters(**letters), actor=OPERATOR, at=clock.now())
    assert dead_letters.run(replay_id=asked.id, at=clock.now())
    asked.refresh_from_db()
    return asked


class TestPuttingBack:
    def test_one_is_put_back_and_applied(self, dead, utrecht, clock):
        dead()
        letter = dead_letters.shown(municipality=utrecht, reason="failed: RuntimeError")[0]
        assert replay(clock, municipality=utrecht, event_ids=(letter.id,)).done == 1
        assert states("utrecht") == ["APPLIED", "DEAD", "DEAD", "OPEN"]
        inbox.drain(schema_name="utrecht")
        assert states("utrecht") == ["APPLIED", "APPLIED", "DEAD", "DEAD"]
        with schema_context("utrecht"):
            again = InboxEvent.objects.get(id=letter.id)
        assert (again.replays, again.replayed_at, again.reason) == (1, clock.now(), "")

    def test_a_whole_reason_is_put_back_in_every_municipality(self, dead, clock):
        dead()
        assert replay(clock, reason="failed: RuntimeError").done == 3
        for schema in ("utrecht", "delft"):
            inbox.drain(schema_name=schema)
        assert (states("utrecht"), states("delft")) == (["APPLIED"] * 3 + ["DEAD"], ["APPLIED"])

    def test_a_kind_of_one_municipality_leaves_the_others_alone(self, dead, utrecht, clock):
        assert replay(clock, municipality=utrecht, kind="MESSAGE").done == 3
        assert states("delft") == ["DEAD"]

    def test_asked_twice_it_happens_once(self, dead, utrecht, clock):
        dead()
        replay(clock, municipality=utrecht, reason="failed: RuntimeError")
        with pytest.raises(NothingToReplay):
            replay(clock, municipality=utrecht, reason="failed: RuntimeError")
        inbox.drain(schema_name="utrecht")
        with schema_context("utrecht"):
            assert Message.objects.filter(wamid__contains="broken").count() == 2

    def test_what_was_applied_before_is_not_doubled(self, dead, utrecht, clock):
        dead()
        with schema_context("utrecht"):
            InboxEvent.objects.filter(state="APPLIED").update(state="DEAD", reason="by hand")
        replay(clock, municipality=utrecht)
        inbox.drain(schema_name="utrecht")
        with schema_context("utrecht"):
            assert Message.objects.filter(wamid="wamid.good").count() == 1

    def test_what_dies_again_is_not_put_back_by_the_same_replay(self, dead, utrecht, clock):
        asked = dead_letters.ask(letters=Letters(municipality=utrecht), actor=OPERATOR, at=clock.now())
        dead_letters.run(replay_id=asked.id, at=clock.now())
        Replay.objects.update(finished_at=None)
        inbox.drain(schema_name="utrecht")
        assert dead_letters.run(replay_id=asked.id, at=clock.now())
        asked.refresh_from_db()
        assert (asked.done, asked.total) == (3, 3)
        assert states("utrecht").count("DEAD") == 3

    def test_attempts_begin_anew(self, dead, utrecht, clock):
        with schema_context("utrecht"):
            InboxEvent.objects.filter(state="DEAD").update(attempts=3)
        replay(clock, municipality=utrecht)
        with schema_context("utrecht"):
            assert set(InboxEvent.objects.values_list("attempts", flat=True)) == {0}

    def test_it_goes_on_in_portions_after_it_was_cut_off(self, dead, utrecht, clock, monkeypatch):
        monkeypatch.setattr(dead_letters, "PORTION", 1)
        asked = dead_letters.ask(letters=Letters(municipality=utrecht), actor=OPERATOR, at=clock.now())
        dead_letters._put_back(replay_id=asked.id, municipality=utrecht)
        assert states("utrecht").count("OPEN") == 1
        continue_replays()
        asked.refresh_from_db()
        assert (asked.done, asked.finished_at) == (3, clock.now())

    def test_a_locked_inbox_waits_and_keeps_nobody_waiting(self, dead, utrecht, clock, monkeypatch):
        original = dead_letters._put_back

        def locked(*, replay_id, municipality):
            if municipality.schema_name == "delft":
                raise OperationalError("locked")
            return original(replay_id=replay_id, municipality=municipality)

        monkeypatch.setattr(dead_letters, "_put_back", locked)
        asked = dead_letters.ask(letters=Letters(), actor=OPERATOR, at=clock.now())
        assert not dead_letters.run(replay_id=asked.id, at=clock.now())
        assert (states("utrecht").count("OPEN"), states("delft")) == (3, ["DEAD"])
        monkeypatch.setattr(dead_letters, "_put_back", original)
        assert dead_letters.run(replay_id=asked.id, at=clock.now())
        assert states("delft") == ["OPEN"]


class TestTheTrails:
    def test_both_say_who_put_back_how_many_and_when(self, dead, utrecht, clock):
        replay(clock, municipality=utrecht, reason="failed: RuntimeError")
        with schema_context("public"):
            asked = Entry.objects.get(action="inbox.replay.ask")
        with schema_context("utrecht"):
            done = Entry.objects.get(action="inbox.replay")
        for entry in (asked, done):
            assert (entry.actor_name, entry.at, entry.details["events"]) == ("Olga Operator", clock.now(), 2)
        assert asked.subject == "municipality utrecht"


class TestTheCommand:
    def call(self, *arguments):
        said = StringIO()
        call_command("replay_events", *arguments, stdout=said)
        return said.getvalue()

    def test_it_counts_before_it_acts(self, dead):
        assert self.call("--all", "--dry-run") == "4 dead letters would be put back\n"
        assert states("delft") == ["DEAD"]

    def test_it_puts_back(self, dead):
        assert self.call("--municipality", "delft") == "put back 1 of 1 dead letters\n"
        assert states("delft") == ["OPEN"]

    @pytest.mark.parametrize(
        "arguments",
        [(), ("--event", "5"), ("--municipality", "atlantis"), ("--kind", "STATUS"), ("--all", "--reason", "none")],
    )
    def test_it_refuses_what_makes_no_sense(self, dead, arguments):
        with pytest.raises(CommandError) as refused:
            self.call(*arguments)
        assert refused.value.returncode == 2
        assert states("delft") == ["DEAD"]


class TestWhatIsShown:
    def test_no_word_of_a_citizens_is(self, dead, utrecht):
        shown = dead_letters.shown(municipality=utrecht, reason="failed: RuntimeError")
        letter = dead_letters.letter(municipality=utrecht, event_id=shown[0].id)
        lines = structure(payload=letter.payload)
        assert ("element.text.body", "text of 11 characters") in lines
        assert ("element.type", "text") in lines
        for secret in ("geheim", "31697000001", "Piet", "wamid"):
            assert secret not in str(lines)

    @pytest.mark.parametrize(
        ("payload", "lines"),
        [
            ({"element": {"type": "Ik heet Jan"}}, [("element.type", "text of 11 characters")]),
            ({"element": {"Jan's sleutel": 1}}, [("element.(key of 13 characters)", "number")]),
            (
                {"element": [True, None, {}, []]},
                [
                    (f"element[{n}]", kind)
                    for n, kind in enumerate(["true or false", "null", "object of 0", "list of 0"])
                ],
            ),
            ("los", [("", "text of 3 characters")]),
        ],
    )
    def test_whatever_the_payload_is(self, payload, lines):
        assert structure(payload=payload) == lines

    def test_a_payload_without_end_is_cut(self):
        assert len(structure(payload=[0] * 5_000)) == 201
        nested: object = 1
        for _ in range(500):
            nested = [nested]
        assert structure(payload=nested)[0][1] == "list of 1"
