"""Reading: pages that miss nothing and repeat nothing, search without a phone number in the address, and money."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django_tenants.utils import schema_context

from api.paging import read_cursor, write_cursor
from billing.models import Conversation, Invoice, InvoiceLine, RateCard
from messaging.listing import Position
from messaging.models import Template
from messaging.threads import close
from tests.api.calling import Caller
from tests.messaging import meta

OPENED = datetime(2026, 2, 10, 9, tzinfo=UTC)


def walk(caller: Caller, path: str, *, limit: int) -> list[dict]:
    """Read every page of a list."""
    found, cursor = [], ""
    for _ in range(50):
        sign = "&" if "?" in path else "?"
        said = caller.get(f"{path}{sign}limit={limit}{cursor}").json()
        assert len(said["items"]) <= limit
        found += said["items"]
        if said["nextCursor"] is None:
            return found
        cursor = f"&cursor={said['nextCursor']}"
    raise AssertionError("it never ends")


@pytest.fixture
def five(utrecht, clock):
    """Have five citizens write, two of them in the same second."""
    for index in range(5):
        at = clock.now() - timedelta(minutes=min(index, 3))
        meta.receive(utrecht, meta.message(utrecht, wamid=f"wamid.{index}", wa_id=f"3169700000{index}", at=at))


class TestThreads:
    def test_pages_hold_everything_once_the_last_spoken_in_first(self, api, five):
        whole = api.get("/threads").json()
        assert whole["nextCursor"] is None
        assert len(whole["items"]) == 5
        assert whole["items"] == sorted(whole["items"], key=lambda one: (one["lastMessageAt"], one["id"]), reverse=True)
        for limit in (1, 2, 4, 5):
            assert walk(api, "/threads", limit=limit) == whole["items"]

    def test_they_are_chosen_by_state_and_by_who_waits(self, api, five, actor, clock):
        first, second, *_ = api.get("/threads").json()["items"]
        with schema_context("utrecht"):
            close(thread_id=uuid.UUID(first["id"]), actor=actor, at=clock.now())
        assert api.post("/messages", {"threadId": second["id"], "text": "Dag."}).status_code == 201
        ids = {query: {one["id"] for one in api.get(f"/threads?{query}").json()["items"]} for query in QUERIES}
        assert ids["state=CLOSED"] == {first["id"]}
        assert len(ids["state=OPEN"]) == 4
        assert ids["state=OPEN&waiting=false"] == {second["id"]}
        assert ids["waiting=true"] == ids["state=OPEN"] - {second["id"]}
        assert ids["phoneNumberId=99999"] == set()

    def test_one_is_found_by_phone_number_or_id_in_the_body(self, api, utrecht, thread, clock):
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.B", wa_id=None, bsuid="NL.77", at=clock.now()))
        (found,) = api.post("/threads/_search", {"phoneNumber": "+31697000001"}).json()["items"]
        assert (found["id"], found["contact"]["profileName"]) == (str(thread.id), "Piet")
        (other,) = api.post("/threads/_search", {"bsuid": "NL.77"}).json()["items"]
        assert (other["contact"]["bsuid"], other["contact"]["phoneNumber"]) == ("NL.77", None)
        assert api.post("/threads/_search", {"phoneNumber": "+31697000099"}).json()["items"] == []

    def test_the_window_is_told(self, api, thread, clock):
        said = api.get(f"/threads/{thread.id}").json()
        assert datetime.fromisoformat(said["windowEndsAt"]) == clock.now() + timedelta(hours=24)
        assert datetime.fromisoformat(said["waitingSince"]) == clock.now()

    def test_messages_come_in_the_order_of_the_thread(self, api, utrecht, thread, clock):
        for index in range(4):
            at = clock.now() - timedelta(minutes=index)
            meta.receive(utrecht, meta.message(utrecht, wamid=f"wamid.{index}", text=f"Vraag {index}", at=at))
        api.post("/messages", {"threadId": str(thread.id), "text": "Antwoord."})
        whole = api.get(f"/threads/{thread.id}/messages").json()["items"]
        assert [one["text"] for one in whole][:3] == ["Vraag 3", "Vraag 2", "Vraag 1"]
        assert len(whole) == 6
        assert walk(api, f"/threads/{thread.id}/messages", limit=2) == whole
        assert "wamid" not in str(whole)

    def test_a_failure_says_why(self, api, utrecht, thread):
        from messaging.models import Message

        said = api.post("/messages", {"threadId": str(thread.id), "text": "Dag."}).json()
        assert said["failure"] is None
        with schema_context("utrecht"):
            Message.objects.filter(id=said["id"]).update(state="FAILED", failed_code=131026, failed_reason="Too late")
        said = api.get(f"/messages/{said['id']}").json()
        assert (said["state"], said["failure"]["code"]) == ("FAILED", 131026)
        assert said["failure"]["reason"].startswith("Niet te bezorgen: dit nummer heeft geen WhatsApp")


QUERIES = ("state=CLOSED", "state=OPEN", "state=OPEN&waiting=false", "waiting=true", "phoneNumberId=99999")


class TestQueries:
    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=101",
            "limit=1.0",
            "limit=+1",
            "limit=１",
            "limit=",
            "cursor=",
            "cursor=abc",
            "cursor=" + "a" * 31 + "%0A",
            "state=open",
            "waiting=1",
            "waiting=TRUE",
            "nothing=1",
            "state=OPEN&state=CLOSED",
            "phoneNumberId=%00",
        ],
    )
    def test_it_refuses_what_it_does_not_know(self, api, query):
        assert api.get(f"/threads?{query}").status_code == 400

    @pytest.mark.parametrize("text", ["A" * 32, "_" * 32, "-" * 32, "z9" * 16])
    def test_every_text_of_the_cursors_form_is_a_cursor(self, api, text):
        assert read_cursor(text).at.tzinfo is not None
        assert api.get(f"/threads?cursor={text}").status_code == 200

    def test_a_cursor_comes_back_as_it_was_written(self):
        position = Position(at=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC), id=uuid.uuid4())
        assert read_cursor(write_cursor(position)) == position


class TestTemplates:
    def test_they_are_listed_with_their_variables(self, api, approved):
        found = {one["name"]: one for one in api.get("/templates").json()["items"]}
        assert found["vervolg_op_uw_vraag"]["status"] == "APPROVED"
        assert found["vervolg_op_uw_vraag"]["parameters"][0] == {"name": "naam", "example": "mevrouw De Vries"}
        assert [one["name"] for one in api.get("/templates?status=APPROVED").json()["items"]] == [approved.name]
        assert api.get(f"/templates/{approved.id}").json() == found["vervolg_op_uw_vraag"]

    def test_each_says_why_it_cannot_be_sent(self, api, approved):
        found = {one["name"]: one["refusal"] for one in api.get("/templates").json()["items"]}
        assert (found["vervolg_op_uw_vraag"], found["afspraak_herinnering"]) == (None, "template_not_approved")
        with schema_context("utrecht"):
            Template.objects.filter(id=approved.id).update(category="MARKETING")
        assert api.get(f"/templates/{approved.id}").json()["refusal"] == "template_marketing"


def conversation(municipality, *, number: int, category: str = "SERVICE", at: datetime = OPENED) -> None:
    Conversation.objects.create(
        phone_number_id="100000000",
        contact_hash=number.to_bytes(32, "big"),
        category=category,
        opened_at=at,
        ends_at=at + timedelta(hours=24),
        opened_date=at.date(),
        month=at.date().replace(day=1),
        municipality_id=municipality.id,
    )


class TestUsage:
    @pytest.fixture(autouse=True)
    def used(self, utrecht, delft):
        for number in range(3):
            conversation(utrecht, number=number)
        conversation(utrecht, number=4, category="UTILITY")
        conversation(utrecht, number=5, at=OPENED + timedelta(days=31))
        conversation(delft, number=6)

    def test_a_municipality_reads_its_own_by_month_and_category(self, api):
        assert api.get("/usage?fromMonth=2026-02&months=2").json()["items"] == [
            {"month": "2026-02", "category": "SERVICE", "conversations": 3},
            {"month": "2026-02", "category": "UTILITY", "conversations": 1},
            {"month": "2026-03", "category": "SERVICE", "conversations": 1},
        ]

    def test_the_current_month_is_meant_when_none_is_said(self, api):
        assert [one["month"] for one in api.get("/usage").json()["items"]] == ["2026-03"]
        assert api.get("/usage?fromMonth=2099-12&months=24").json()["items"] == []

    def test_the_bsp_reads_everyones(self, bsp, utrecht, delft):
        said = bsp.get("/usage?fromMonth=2026-02").json()["items"]
        assert {one["municipalityId"] for one in said} == {str(utrecht.id), str(delft.id)}
        (own,) = bsp.get(f"/usage?fromMonth=2026-02&municipalityId={delft.id}").json()["items"]
        assert own["conversations"] == 1

    @pytest.mark.parametrize("query", ["fromMonth=2026-13", "fromMonth=2026-2", "months=0", "months=25", "fromMonth="])
    def test_it_refuses_what_is_no_month(self, api, query):
        assert api.get(f"/usage?{query}").status_code == 400


class TestBsp:
    @pytest.fixture
    def invoice(self, utrecht, clock):
        card = RateCard.objects.create(
            valid_from=date(2026, 1, 1), name="2026", vat_rate="0.2100", platform_fee="150.000000"
        )
        invoice = Invoice.objects.create(
            municipality_id=utrecht.id,
            period=date(2026, 2, 1),
            vat_rate="0.2100",
            net_cents=15000,
            vat_cents=3150,
            total_cents=18150,
            lines_hash="0" * 64,
            drafted_at=clock.now(),
        )
        InvoiceLine.objects.create(
            invoice=invoice,
            position=1,
            kind="PLATFORM_FEE",
            month=date(2026, 2, 1),
            card=card,
            category="",
            description="Platform",
            quantity=1,
            unit_price="150.000000",
            net_cents=15000,
        )
        return invoice

    def test_municipalities_are_listed_with_their_numbers_and_no_secret(self, bsp, utrecht, delft):
        said = bsp.get("/municipalities")
        assert {one["schema"] for one in said.json()["items"]} == {"utrecht", "delft"}
        one = bsp.get(f"/municipalities/{utrecht.id}").json()
        assert (one["cbsCode"], one["stage"], len(one["purposes"])) == ("GM0344", "LIVE", 5)
        assert one["numbers"][0]["phoneNumberId"] == meta.number_id(utrecht)
        assert "token-of-utrecht" not in said.content.decode()
        assert len(walk(bsp, "/municipalities?stage=LIVE", limit=1)) == 2

    def test_an_invoice_is_read_with_its_lines(self, bsp, invoice, utrecht):
        (listed,) = bsp.get(f"/invoices?period=2026-02&municipalityId={utrecht.id}&status=DRAFT").json()["items"]
        one = bsp.get(f"/invoices/{invoice.id}").json()
        assert (listed["period"], listed["totalCents"], listed["number"]) == ("2026-02", 18150, None)
        assert listed == {name: value for name, value in one.items() if name != "lines"}
        assert one["lines"] == [
            {
                "position": 1,
                "kind": "PLATFORM_FEE",
                "month": "2026-02",
                "category": "",
                "description": "Platform",
                "quantity": 1,
                "unitPrice": "150.000000",
                "netCents": 15000,
            }
        ]
        assert bsp.get("/invoices?period=2026-03").json()["items"] == []

    def test_unknown_rows_are_not_found(self, bsp):
        for path in ("/municipalities", "/invoices"):
            assert bsp.get(f"{path}/{uuid.uuid4()}").status_code == 404
