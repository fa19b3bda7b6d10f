import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_in_database import DatabaseLedger, one_card
from worked_cases import KEY, MUNICIPALITY, PureLedger

from billing import recomputing
from billing.closing import close_month
from billing.metering import StatusReport, contact_hash, link_contacts, record_reports, wamid_hash
from billing.models import ContactLink, Conversation, Fact, FactReport, LateContact
from billing.months import parse_month
from billing.recomputing import facts_of

AT = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
RECORDED_AT = datetime(2026, 10, 6, 8, 0, tzinfo=UTC)


def report(wamid: str = "w1", **changes) -> StatusReport:
    basic = StatusReport(
        municipality_id=MUNICIPALITY,
        phone_number_id="1001",
        pseudonym_key=KEY,
        contact_id=UUID(int=1),
        wamid=wamid,
        status="delivered",
        stamped_at=AT,
        pricing_model="PMP",
        pricing_type="regular",
        pricing_category="utility",
        purpose="PERMITS",
        template_name="afspraak",
        template_category="UTILITY",
    )
    return replace(basic, **changes)


def link(from_contact: int, to_contact: int) -> None:
    link_contacts(
        municipality_id=MUNICIPALITY,
        phone_number_id="1001",
        pseudonym_key=KEY,
        from_contact_id=UUID(int=from_contact),
        to_contact_id=UUID(int=to_contact),
        recorded_at=RECORDED_AT,
    )


@pytest.mark.django_db
class TestRecordReports:
    def test_it_appends_nothing_when_repeated(self):
        for _ in range(3):
            record_reports(reports=[report(), report()], recorded_at=RECORDED_AT)
        assert (FactReport.objects.count(), Fact.objects.count(), Conversation.objects.count()) == (1, 1, 1)

    def test_it_writes_no_conversation_again_that_stays_the_same(self):
        record_reports(reports=[report()], recorded_at=RECORDED_AT)
        before = Conversation.objects.get().id
        record_reports(reports=[report(status="read", stamped_at=AT + timedelta(hours=1))], recorded_at=RECORDED_AT)
        assert Conversation.objects.get().id == before

    def test_it_makes_no_fact_of_what_was_only_sent(self):
        record_reports(reports=[report(status="sent")], recorded_at=RECORDED_AT)
        assert (FactReport.objects.count(), Fact.objects.count()) == (1, 0)

    @pytest.mark.parametrize("status", ["failed", "played", "deleted", "", "SENT"])
    def test_it_ignores_other_statuses(self, status):
        record_reports(reports=[report(status=status)], recorded_at=RECORDED_AT)
        assert not FactReport.objects.exists()

    def test_it_keeps_what_meta_said_word_for_word(self):
        said = {
            "pricing_model": "PMP",
            "pricing_type": "free_customer_service",
            "pricing_category": "authentication-international",
        }
        record_reports(reports=[report(**said)], recorded_at=RECORDED_AT)
        assert FactReport.objects.values(*said).get() == said

    def test_it_bears_any_length_and_sign_that_meta_may_send(self):
        strange = report(pricing_category="x" * 500, pricing_type="Ünïcode '{\",}", template_name="a,b\\{}")
        record_reports(reports=[strange], recorded_at=RECORDED_AT)
        assert Conversation.objects.get().template == "a,b\\{}"

    def test_it_keeps_no_wamid_and_no_contact(self):
        record_reports(reports=[report("wamid.HBgLMzE2MTIzNDU2NzgVAgARGBI")], recorded_at=RECORDED_AT)
        fact = Fact.objects.get()
        assert bytes(fact.wamid_hash) == wamid_hash(pseudonym_key=KEY, wamid="wamid.HBgLMzE2MTIzNDU2NzgVAgARGBI")
        assert bytes(fact.contact_hash) == contact_hash(pseudonym_key=KEY, contact_id=UUID(int=1))
        assert contact_hash(pseudonym_key=b"another key", contact_id=UUID(int=1)) != bytes(fact.contact_hash)

    def test_it_refuses_a_stamp_without_a_time_zone(self):
        with pytest.raises(ValueError, match="time zone"):
            record_reports(reports=[report(stamped_at=AT.replace(tzinfo=None))], recorded_at=RECORDED_AT)

    def test_it_counts_numbers_apart(self):
        record_reports(reports=[report(), report(phone_number_id="1002")], recorded_at=RECORDED_AT)
        assert Conversation.objects.values_list("phone_number_id").order_by("phone_number_id").distinct().count() == 2

    def test_it_works_from_a_tenants_schema(self, utrecht):
        with schema_context(utrecht.schema_name):
            record_reports(reports=[report()], recorded_at=RECORDED_AT)
        assert Conversation.objects.count() == 1

    def test_it_asks_the_database_as_often_for_200_contacts_as_for_one(self):
        many = [report(f"w{place}", contact_id=UUID(int=place + 1)) for place in range(200)]
        record_reports(reports=[report("first", contact_id=UUID(int=998))], recorded_at=RECORDED_AT)
        with CaptureQueriesContext(connection) as for_one:
            record_reports(reports=[report("second", contact_id=UUID(int=999))], recorded_at=RECORDED_AT)
        with CaptureQueriesContext(connection) as for_many:
            record_reports(reports=many, recorded_at=RECORDED_AT)
        assert len(for_many) == len(for_one) <= 9
        assert Conversation.objects.count() == 202

    def test_it_takes_more_than_a_batch(self):
        many = [
            report(f"w{place}", contact_id=UUID(int=place % 300), stamped_at=AT + timedelta(hours=place // 300))
            for place in range(900)
        ]
        record_reports(reports=many, recorded_at=RECORDED_AT)
        assert (Fact.objects.count(), Conversation.objects.count()) == (900, 300)

    def test_it_reads_again_only_what_came_since_the_moment_that_changed(self, monkeypatch):
        read: list[int] = []

        def counted(**given):
            found = facts_of(**given)
            read.append(sum(len(own.facts) for own in found.values()))
            return found

        monkeypatch.setattr(recomputing, "facts_of", counted)
        days = [report(f"w{day}", stamped_at=AT + timedelta(days=day)) for day in range(20)]
        record_reports(reports=days, recorded_at=RECORDED_AT)
        last = report("w19", status="read", stamped_at=AT + timedelta(days=19, hours=1))
        inside = report("new", stamped_at=AT + timedelta(days=18, hours=5))
        for each in (last, inside):
            record_reports(reports=[each], recorded_at=RECORDED_AT)
        assert read == [20, 1, 2]
        assert Conversation.objects.count() == 20
        # Earlier than all: what was opened first is opened earlier now.
        record_reports(
            reports=[report("w0", status="read", stamped_at=AT - timedelta(hours=1))], recorded_at=RECORDED_AT
        )
        assert read[-1] == 21
        opened = Conversation.objects.order_by("opened_at").values_list("opened_at", flat=True)
        assert list(opened)[:2] == [AT - timedelta(hours=1), AT + timedelta(days=1)]


@pytest.mark.django_db
class TestLinkContacts:
    def test_it_counts_a_fact_under_the_canonical_contact_whichever_comes_first(self):
        link(1, 2)
        record_reports(reports=[report("w1"), report("w2", contact_id=UUID(int=2))], recorded_at=RECORDED_AT)
        assert bytes(Conversation.objects.get().contact_hash) == contact_hash(pseudonym_key=KEY, contact_id=UUID(int=2))

    def test_it_changes_nothing_when_repeated_or_turned_round(self):
        link(1, 2)
        link(1, 2)
        link(2, 1)
        assert ContactLink.objects.count() == 1

    def test_it_links_on_what_was_already_linked(self):
        for contact in (1, 2, 3):
            record_reports(reports=[report(f"w{contact}", contact_id=UUID(int=contact))], recorded_at=RECORDED_AT)
        link(1, 2)
        link(1, 3)
        assert bytes(Conversation.objects.get().contact_hash) == contact_hash(pseudonym_key=KEY, contact_id=UUID(int=3))

    def test_it_finds_a_fact_that_was_known_under_the_other_contact_before_the_link(self):
        record_reports(reports=[report()], recorded_at=RECORDED_AT)
        read = report(status="read", contact_id=UUID(int=2), stamped_at=AT - timedelta(hours=1))
        record_reports(reports=[read], recorded_at=RECORDED_AT)
        link(1, 2)
        conversation = Conversation.objects.get()
        assert conversation.opened_at == AT - timedelta(hours=1)
        assert bytes(conversation.contact_hash) == contact_hash(pseudonym_key=KEY, contact_id=UUID(int=2))


@pytest.mark.django_db
class TestLateness:
    def close_october(self) -> None:
        close_month(month=parse_month(text="2026-10"), at=datetime(2026, 11, 2, tzinfo=UTC), card_of=one_card)

    def test_it_is_noted_for_what_belongs_to_a_closed_month(self):
        record_reports(reports=[report()], recorded_at=RECORDED_AT)
        self.close_october()
        record_reports(reports=[report("w2", contact_id=UUID(int=2))], recorded_at=RECORDED_AT)
        (late,) = LateContact.objects.all()
        assert bytes(late.contact_hash) == contact_hash(pseudonym_key=KEY, contact_id=UUID(int=2))

    def test_it_is_not_noted_for_what_belongs_to_an_open_month_or_was_known(self):
        record_reports(reports=[report()], recorded_at=RECORDED_AT)
        self.close_october()
        record_reports(reports=[report(), report("w2", stamped_at=AT + timedelta(days=30))], recorded_at=RECORDED_AT)
        assert not LateContact.objects.exists()


WAMIDS = [f"w{number}" for number in range(6)]
CONTACTS = ["anna", "bas", "cor"]
STEPS = st.lists(
    st.builds(
        lambda wamid, status, hours, pricing: {
            "report": {
                "number": "1001",
                "contact": CONTACTS[int(wamid[1]) % 3],
                "wamid": wamid,
                "status": status,
                "stamp": (datetime(2026, 10, 29, tzinfo=UTC) + timedelta(hours=hours)).isoformat(),
                "pricing": pricing,
            }
        },
        st.sampled_from(WAMIDS),
        st.sampled_from(["sent", "delivered", "read", "failed"]),
        st.integers(0, 20).map(lambda step: step * 6),
        st.sampled_from(
            [
                None,
                {"model": "PMP", "type": "regular", "category": "utility"},
                {"model": "PMP", "type": "free_customer_service", "category": "service"},
                {"model": "PMP", "type": "free_entry_point", "category": "referral_conversion"},
            ]
        ),
    ),
    max_size=14,
)
LINKS = st.sampled_from(
    [
        [],
        [{"link": {"number": "1001", "from": "anna", "to": "bas"}}],
        [{"link": {"number": "1001", "from": "bas", "to": "cor"}}],
    ]
)


def batched(steps: list, random) -> list:
    """Put neighbouring reports together in batches of random size."""
    cut: list = []
    for step in steps:
        if "report" in step and cut and "batch" in cut[-1] and random.random() < 0.6:
            cut[-1]["batch"].append(step["report"])
        else:
            cut.append({"batch": [step["report"]]} if "report" in step else step)
    return cut


@pytest.mark.django_db
class TestAnyOrder:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(STEPS, STEPS, LINKS, LINKS, st.randoms(use_true_random=False))
    def test_the_database_agrees_with_the_definition(self, before, after, links_before, links_after, random):
        steps = [*before, *links_before, {"close": "2026-10"}, *after, *links_after, {"close": "2026-11"}, *before[:2]]
        first, second = before + links_before + before[:3], after + links_after + after[:3]
        random.shuffle(first)
        random.shuffle(second)
        shuffled = [
            *batched(first, random),
            {"close": "2026-10"},
            *batched(second, random),
            {"close": "2026-11"},
            *before[:2],
        ]
        expected = PureLedger().play(steps)
        with transaction.atomic():
            found = DatabaseLedger().play(shuffled)
            assert found.conversations() == expected.conversations()
            assert found.corrections() == expected.corrections
            transaction.set_rollback(True)


class TestTogether:
    def test_it_counts_once_what_several_record_at_the_same_time(self, committing_db):
        """Four connections record the same contacts' messages in four orders, and one links two contacts."""
        reports = [
            report(f"w{place}", contact_id=UUID(int=place % 5), stamped_at=AT + timedelta(hours=place))
            for place in range(40)
        ]
        failures: list[BaseException] = []
        ready = threading.Barrier(5)

        def work(turn: int) -> None:
            try:
                ready.wait(10)
                if turn == 4:
                    link(0, 1)
                else:
                    for start in range(0, 40, 8):
                        place = (start + 8 * turn) % 40
                        record_reports(reports=reports[place : place + 8], recorded_at=RECORDED_AT)
            except BaseException as error:  # noqa: BLE001  the thread hands it over
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(turn,)) for turn in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert Fact.objects.count() == 40
        # Contacts 0 and 1 are one: its periods open at 0 h and 25 h. The other three: each at 0 h (2, 3, 4) and then
        # at the first of its messages 24 h later or more, which is 25 h after its own first.
        periods = Conversation.objects.values("contact_hash").annotate(count=Count("id"))
        assert sorted(row["count"] for row in periods) == [2, 2, 2, 2]

    def test_it_waits_for_a_closing_and_counts_as_late_then(self, committing_db):
        recorded = threading.Event()

        def record() -> None:
            try:
                record_reports(reports=[report()], recorded_at=RECORDED_AT)
            finally:
                recorded.set()
                connection.close()

        with transaction.atomic():
            close_month(month=parse_month(text="2026-10"), at=datetime(2026, 11, 2, tzinfo=UTC), card_of=one_card)
            thread = threading.Thread(target=record)
            thread.start()
            assert not recorded.wait(0.5)
        thread.join(30)
        assert (Conversation.objects.count(), LateContact.objects.count()) == (0, 1)
