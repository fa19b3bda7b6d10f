"""The audit trail: appended only, chained, and an alteration behind the database's back is found."""

import hashlib
import io
import json
import socket
import threading
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django_tenants.utils import schema_context

from audit.chain import FIRST_HASH, first_break, hash_of
from audit.models import Entry
from audit.origin import acting_from
from audit.record import Actor, UnwritableDetails, record, written_last

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
ACTOR = Actor.system("tests")
SCHEMAS = ["public", "utrecht"]


def write(count=1, **particulars):
    for number in range(count):
        entry = record(**{"action": "thing.do", "actor": ACTOR, "at": AT, "subject": f"thing {number}", **particulars})
    return entry


def holds():
    return first_break(entries=Entry.objects.order_by("sequence")) is None


def verify(*options):
    """Run the command; return its exit code and its lines."""
    out = io.StringIO()
    try:
        call_command("verify_audit", "--read-only", *options, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


class TestWriting:
    @pytest.mark.parametrize("schema", SCHEMAS)
    def test_it_numbers_and_chains_what_is_written(self, utrecht, schema):
        with schema_context(schema):
            before = Entry.objects.count()
            write(3)
            entries = list(Entry.objects.order_by("sequence"))
            assert [entry.sequence for entry in entries] == list(range(1, before + 4))
            assert bytes(entries[0].previous_hash) == FIRST_HASH
            for older, newer in pairwise(entries):
                assert bytes(newer.previous_hash) == bytes(older.hash)
            assert holds()

    def test_it_keeps_the_trails_of_two_schemas_apart(self, utrecht):
        with schema_context("delft"):
            before = Entry.objects.count()
        with schema_context("utrecht"):
            write(2)
        with schema_context("delft"):
            assert Entry.objects.count() == before

    def test_it_is_gone_with_the_transaction_that_it_tells_of(self, utrecht):
        with schema_context("utrecht"):
            before = Entry.objects.count()
            with transaction.atomic():
                write()
                transaction.set_rollback(True)
            assert Entry.objects.count() == before
            assert holds()

    @pytest.mark.parametrize(
        "details",
        [
            {"b": 1, "a": [1, None, True, "x"], "ë": {"2": 1, "10": 2}},
            {"bedrag": -(10**30), "leeg": {}, "lijst": []},
            {"rol": StrEnum("Role", {"A": "ADMIN"})("ADMIN"), "paar": ("a", "b")},
            {"teken": '\u2028 \U0001f600 \\ " \n'},
        ],
    )
    def test_it_reads_back_what_it_hashed(self, utrecht, details):
        with schema_context("utrecht"):
            write(details=details, at=AT.astimezone(timezone(timedelta(hours=2))))
            assert holds()

    @pytest.mark.parametrize("details", [{"x": 1.5}, {"x": float("nan")}, {1: "a"}, {"x": [{"y": AT}]}, {"x": b"y"}])
    def test_it_refuses_details_that_would_come_back_in_another_form(self, utrecht, details):
        with schema_context("utrecht"):
            before = Entry.objects.count()
            with pytest.raises(UnwritableDetails):
                write(details=details)
            assert Entry.objects.count() == before

    def test_it_gives_every_writer_a_place_of_its_own(self, committing_db):
        def write_ten():
            try:
                with schema_context("utrecht"):
                    write(10)
            finally:
                connection.close()

        with schema_context("utrecht"):
            before = Entry.objects.count()
        threads = [threading.Thread(target=write_ten) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with schema_context("utrecht"):
            assert Entry.objects.count() == before + 40
            assert holds()


class Broken(Exception):
    """The transaction breaks off here."""


def write_and_break_off():
    write(subject="goes")
    raise Broken


class TestWrittenLast:
    """What is recorded in a transaction that goes on: it holds the chain from its end on only."""

    def test_it_is_written_at_the_end_in_its_order_and_chained(self, utrecht):
        with schema_context("utrecht"), transaction.atomic():
            before = Entry.objects.count()
            with written_last(), written_last():
                entry = write(3)
                assert (Entry.objects.count(), entry.sequence) == (before, None)
            assert [entry.subject for entry in Entry.objects.order_by("sequence")][before:] == [
                "thing 0",
                "thing 1",
                "thing 2",
            ]
            assert entry.sequence == before + 3
            assert entry.hash == hash_of(entry=entry)
            assert holds()

    def test_it_is_gone_with_the_savepoint_or_the_transaction_that_it_tells_of(self, utrecht):
        with schema_context("utrecht"):
            before = Entry.objects.count()
            with pytest.raises(Broken), transaction.atomic(), written_last():
                write_and_break_off()
            assert Entry.objects.count() == before
            with transaction.atomic(), written_last():
                write(subject="stands")
                with pytest.raises(Broken), transaction.atomic():
                    write_and_break_off()
            assert list(Entry.objects.order_by("sequence").values_list("subject", flat=True))[before:] == ["stands"]
            write()  # nothing of the block is left over
            assert Entry.objects.count() == before + 2
            assert holds()

    def test_it_is_in_the_trail_of_the_schema_in_which_it_was_done(self, utrecht):
        entered = Actor(schema="public", id="1", name="Sam", break_glass="7")
        with schema_context("public"):
            before = Entry.objects.count()
        with transaction.atomic(), written_last(), schema_context("utrecht"):
            write(actor=entered)
        with schema_context("utrecht"):
            assert Entry.objects.order_by("-sequence")[0].details == {"break_glass": "7"}
            assert holds()
        with schema_context("public"):
            assert Entry.objects.order_by("-sequence")[0].details == {"break_glass": "7", "municipality": "utrecht"}
            assert Entry.objects.count() == before + 1
            assert holds()

    def test_nobody_waits_for_a_transaction_that_has_more_to_do(self, committing_db):
        def write_meanwhile():
            try:
                with schema_context("utrecht"), transaction.atomic():
                    connection.cursor().execute("SET LOCAL statement_timeout = '5s'")
                    write(subject="second, and done first")
                    done.append(True)
            finally:
                connection.close()

        done: list[bool] = []
        with schema_context("utrecht"):
            before = Entry.objects.count()
            with transaction.atomic(), written_last():
                write(subject="first")
                other = threading.Thread(target=write_meanwhile)
                other.start()
                other.join(20)
                assert done == [True]
            subjects = list(Entry.objects.order_by("sequence").values_list("subject", flat=True))
            assert subjects[before:] == ["second, and done first", "first"]
            assert holds()
        assert verify()[0] == 0


def write_as_before(subject):
    """Append an entry as the release wrote it that knew no origin; returns its row."""
    last = Entry.objects.order_by("-sequence").first()
    entry = Entry(sequence=last.sequence + 1, at=AT, actor_schema="public", actor_id="x", actor_name="x", form=1)
    entry.action, entry.subject, entry.outcome, entry.origin = "thing.do", subject, "OK", ""
    entry.previous_hash = bytes(last.hash)
    content = [entry.sequence, AT.isoformat(timespec="microseconds"), "public", "x", "x", "thing.do", subject, "OK", {}]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    entry.hash = hashlib.sha256(bytes(last.hash) + canonical.encode()).digest()
    entry.save(force_insert=True)
    return entry


class TestOrigin:
    def test_it_is_the_program_when_nobody_asks(self, utrecht):
        with schema_context("utrecht"):
            assert write().origin.endswith(f" on {socket.gethostname()}")

    def test_it_is_what_was_told_for_as_long_as_that_lasts(self, utrecht):
        with schema_context("utrecht"):
            with acting_from("2001:db8::7"), acting_from("192.0.2.7"):
                assert write().origin == "192.0.2.7"
            assert write().origin.endswith(f" on {socket.gethostname()}")
            assert holds()

    def test_entries_of_before_origins_still_hold_beside_new_ones(self, utrecht):
        with schema_context("utrecht"):
            write()
            write_as_before("old")
            write()
            assert holds()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entry SET origin = '203.0.113.1' WHERE sequence = %s",
            "UPDATE audit_entry SET form = 1, origin = '' WHERE sequence = %s",
        ],
    )
    def test_an_altered_origin_is_found(self, utrecht, statement):
        with schema_context("utrecht"), connection.cursor() as cursor:
            entry = write()
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_append_only")
            cursor.execute(statement, [entry.sequence])
            assert first_break(entries=Entry.objects.order_by("sequence")) == entry.sequence

    def test_an_old_entry_cannot_be_given_an_origin(self, utrecht):
        with schema_context("utrecht"), connection.cursor() as cursor:
            write()
            entry = write_as_before("old")
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_append_only")
            cursor.execute("ALTER TABLE audit_entry DROP CONSTRAINT audit_origin_told")
            cursor.execute("UPDATE audit_entry SET origin = '203.0.113.1' WHERE sequence = %s", [entry.sequence])
            assert first_break(entries=Entry.objects.order_by("sequence")) == entry.sequence


class TestRefusing:
    @pytest.mark.parametrize("schema", SCHEMAS)
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entry SET subject = 'x'",
            "UPDATE audit_entry SET subject = 'x' WHERE sequence = 1",
            "DELETE FROM audit_entry",
            "DELETE FROM audit_entry WHERE false",
            "TRUNCATE audit_entry",
            "TRUNCATE audit_entry CASCADE",
            "INSERT INTO audit_entry SELECT * FROM audit_entry ON CONFLICT (id) DO UPDATE SET subject = 'x'",
        ],
    )
    def test_it_refuses_to_be_changed(self, utrecht, schema, statement):
        with schema_context(schema):
            write()
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                connection.cursor().execute(statement)
            assert holds()

    def test_it_refuses_a_second_entry_of_one_number(self, utrecht):
        with schema_context("utrecht"):
            entry = write()
            entry.pk = None
            with pytest.raises(DatabaseError, match="sequence"), transaction.atomic():
                entry.save(force_insert=True)


ALTERATIONS = {
    "subject": "UPDATE audit_entry SET subject = 'x' WHERE sequence = 2",
    "moment": "UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE sequence = 2",
    "actor": "UPDATE audit_entry SET actor_name = 'x' WHERE sequence = 2",
    "outcome": "UPDATE audit_entry SET outcome = 'x' WHERE sequence = 2",
    "details": """UPDATE audit_entry SET details = '{"n": 2}' WHERE sequence = 2""",
    "hash": "UPDATE audit_entry SET hash = sha256('x') WHERE sequence = 2",
    "hash before": "UPDATE audit_entry SET previous_hash = sha256('x') WHERE sequence = 2",
    "taken out": "DELETE FROM audit_entry WHERE sequence = 2",
}


class TestVerifying:
    @pytest.fixture
    def alter(self, utrecht):
        """Alter a trail as somebody would who owns the database: with the trigger out of the way."""
        with schema_context("utrecht"):
            write(max(0, 4 - Entry.objects.count()))

        def alter(statement):
            with schema_context("utrecht"), connection.cursor() as cursor:
                cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_append_only")
                cursor.execute(statement)
                cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_append_only")

        return alter

    def test_it_says_of_every_schema_that_its_trail_holds(self, utrecht):
        code, lines = verify("--json")
        assert code == 0
        found = [json.loads(line) for line in lines]
        assert [verdict["schema"] for verdict in found] == ["public", "delft", "utrecht"]
        assert [verdict["broken_at"] for verdict in found] == [None, None, None]
        assert found[0]["entries"] == Entry.objects.count()
        last = Entry.objects.order_by("-sequence").first()
        assert found[0]["last_hash"] == hash_of(entry=last).hex()

    @pytest.mark.parametrize("name", sorted(ALTERATIONS))
    def test_it_finds_what_was_altered_behind_the_triggers_back(self, alter, name):
        alter(ALTERATIONS[name])
        code, lines = verify("--json")
        assert code == 1
        verdicts = {verdict["schema"]: verdict for verdict in map(json.loads, lines)}
        assert verdicts["utrecht"]["broken_at"] == 2
        assert verdicts["public"]["broken_at"] is verdicts["delft"]["broken_at"] is None

    def test_it_finds_an_alteration_whose_own_hash_was_made_to_fit(self, alter):
        with schema_context("utrecht"):
            entry = Entry.objects.get(sequence=2)
            entry.subject = "x"
            alter(f"UPDATE audit_entry SET subject = 'x', hash = '\\x{hash_of(entry=entry).hex()}' WHERE sequence = 2")
        code, lines = verify()
        assert code == 1
        assert any(line.startswith("utrecht: broken at entry 3") for line in lines)

    @pytest.mark.parametrize("schema", SCHEMAS)
    @pytest.mark.parametrize("count", [1, 2])
    def test_it_finds_what_was_cut_off_at_the_end(self, utrecht, schema, count):
        with schema_context(schema), connection.cursor() as cursor:
            write(4)
            last = Entry.objects.order_by("-sequence").first().sequence
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_append_only")
            cursor.execute("DELETE FROM audit_entry WHERE sequence > %s", [last - count])
            assert holds()  # by the chain alone it is not seen
        code, lines = verify("--json")
        assert code == 1
        verdicts = {verdict["schema"]: verdict for verdict in map(json.loads, lines)}
        assert verdicts[schema]["broken_at"] == last - count + 1
        assert verdicts[next(other for other in SCHEMAS if other != schema)]["broken_at"] is None

    def test_it_finds_an_end_that_was_written_anew(self, alter):
        with schema_context("utrecht"):
            last = Entry.objects.order_by("-sequence").first()
            last.subject = "x"
            digest = hash_of(entry=last).hex()
        alter(f"UPDATE audit_entry SET subject = 'x', hash = '\\x{digest}' WHERE sequence = {last.sequence}")
        code, lines = verify()
        assert code == 1
        assert any(line.startswith(f"utrecht: broken at entry {last.sequence}") for line in lines)

    def test_it_finds_a_trail_that_was_emptied(self, alter):
        alter("DELETE FROM audit_entry")
        assert verify()[0] == 1

    def test_what_was_written_before_ends_were_kept_holds(self, alter):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM public.audit_anchor")
        assert verify()[0] == 0

    def test_an_entry_that_was_rolled_back_is_not_missed(self, alter):
        with schema_context("utrecht"), transaction.atomic():
            write()
            transaction.set_rollback(True)
        assert verify()[0] == 0

    def test_it_finds_a_trail_that_was_dropped(self, alter):
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE utrecht.audit_entry")
        code, lines = verify()
        assert code == 1
        assert "utrecht: has no audit trail" in lines
