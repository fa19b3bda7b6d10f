"""The message flow: counts and reasons for operators, never a citizen's word; putting back, asked twice, done once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from audit.models import Entry
from messaging import inbox, measuring
from messaging.core.models import InboxFigures, NumberHour, Replay, UnknownUpdate
from messaging.dead_letters import run
from messaging.models import InboxEvent, Message
from tenants.models import Municipality, Number, Trouble
from tests.messaging import meta
from tests.messaging.test_quarantine import ELSEWHERE, lay_by, of_elsewhere

SECRETS = ("geheim", "31697000001", "Piet", "wamid.IN1")


@pytest.fixture
def operator(people):
    """Return a browser of the BSP's operator."""
    return people("public", "BSP_OPERATOR")


@pytest.fixture
def support(people):
    """Return a browser of the BSP's support."""
    return people("public", "BSP_SUPPORT")


@pytest.fixture
def dead(utrecht, delft, clock):
    """Have a dead letter at Utrecht, one event of nobody's, and Delft silent; return the letter."""
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, text="geheim"))
        InboxEvent.objects.update(state="DEAD", reason="malformed: timestamp is missing or no number")
        letter = InboxEvent.objects.get()
    lay_by(of_elsewhere(utrecht, meta.message(utrecht, text="geheim")))
    Trouble.objects.create(number=Number.objects.get(municipality=delft), kind="SILENT", opened_at=clock.now())
    measuring.measure_inboxes(at=clock.now())
    clock.move(seconds=90)
    return letter


def page(client, path) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


class TestThePage:
    def test_it_shows_what_needs_somebody(self, operator, dead):
        shown = page(operator, "/flow/")
        for word in ("Berichtenstroom", "malformed: timestamp is missing or no number", "Onverwacht stil"):
            assert word in shown
        assert ELSEWHERE["phone_number_id"] in shown
        assert not [secret for secret in SECRETS if secret in shown]

    def test_it_says_when_nobody_measures(self, operator, dead, clock):
        assert "utrecht-alert--warning" not in page(operator, "/flow/")
        clock.move(minutes=10)
        assert "utrecht-alert--warning" in page(operator, "/flow/")

    def test_it_is_plain_when_all_is_well(self, operator, utrecht, clock):
        measuring.measure_inboxes(at=clock.now())
        shown = page(operator, "/flow/")
        for word in ("Er zijn er geen: alles wat binnenkwam is verwerkt.", "Elke melding had een eigenaar."):
            assert word in shown

    def test_it_speaks_english_too(self, operator, dead):
        operator.cookies["django_language"] = "en"
        assert operator.get("/flow/", headers={"accept-language": "en"}).status_code == 200

    def test_it_asks_the_same_number_of_questions_for_many(self, operator, dead, clock):
        page(operator, "/flow/")
        with CaptureQueriesContext(connection) as few:
            page(operator, "/flow/")
        for number in range(40):
            made = Municipality.objects.create(
                schema_name=f"plaats{number}",
                name=f"Plaats {number}",
                cbs_code=f"GM8{number:03d}",
                stage="LIVE",
                created_at=clock.now(),
            )
            InboxFigures.objects.create(
                municipality_id=made.id,
                measured_at=clock.now(),
                open=3,
                oldest_open_at=clock.now(),
                dead=[
                    {
                        "kind": "MESSAGE",
                        "field": "messages",
                        "reason": f"r{number}",
                        "count": 2,
                        "oldest_at": clock.now().isoformat(),
                    }
                ],
            )
            NumberHour.objects.create(
                phone_number_id=f"9{number}",
                hour=clock.now().replace(minute=0, second=0),
                municipality_id=made.id,
                messages=number,
                lag_seconds=100,
            )
            UnknownUpdate.objects.create(
                municipality_id=made.id,
                field="x",
                kind=f"k{number}",
                times=1,
                first_at=clock.now(),
                last_at=clock.now(),
            )
        with CaptureQueriesContext(connection) as many:
            page(operator, "/flow/")
        assert len(many) == len(few) <= 16

    @pytest.mark.parametrize("role", ["BSP_FINANCE", "BSP_ONBOARDING"])
    def test_others_do_not_see_it(self, people, dead, role):
        assert people("public", role).get("/flow/").status_code == 403


class TestALetter:
    def test_it_is_shown_masked(self, operator, dead):
        shown = page(operator, f"/flow/dead/utrecht/{dead.id}/")
        assert "element.text.body" in shown
        assert "tekst van 6 tekens" in shown
        assert not [secret for secret in SECRETS if secret in shown]

    def test_the_list_names_it(self, operator, dead):
        shown = page(operator, "/flow/dead/utrecht/?kind=MESSAGE")
        assert f"/flow/dead/utrecht/{dead.id}/" in shown
        assert "Er zijn er geen" in page(operator, "/flow/dead/utrecht/?kind=STATUS")

    @pytest.mark.parametrize("path", ["/flow/dead/atlantis/", "/flow/dead/atlantis/1/", "/flow/dead/utrecht/999999/"])
    def test_what_is_not_there_is_not_found(self, operator, dead, path):
        assert operator.get(path).status_code == 404


class TestPuttingBack:
    def test_a_whole_reason_is_confirmed_first_and_noted_with_who_did_it(self, operator, dead, utrecht, clock):
        asked = page(operator, "/flow/replay/?reason=malformed: timestamp is missing or no number")
        assert "Deze onbestelbare berichten terugzetten?" in asked
        assert not Replay.objects.exists()
        answer = operator.post("/flow/replay/", {"reason": "malformed: timestamp is missing or no number"})
        replay = Replay.objects.get()
        assert answer.headers["Location"] == f"/flow/replays/{replay.id}/"
        assert "0 van 1" in page(operator, answer.headers["Location"])
        run(replay_id=replay.id, at=clock.now())
        fragment = operator.get(answer.headers["Location"], headers={"HX-Request": "true"}).content.decode()
        assert "1 van 1" in fragment
        assert "hx-get" not in fragment
        inbox.drain(schema_name="utrecht")
        with schema_context("utrecht"):
            assert Message.objects.count() == 1
            assert Entry.objects.get(action="inbox.replay").actor_name == replay.asked_by_name != ""

    def test_one_is_put_back(self, operator, dead, clock):
        answer = operator.post("/flow/replay/", {"schema": "utrecht", "event": str(dead.id)})
        assert Replay.objects.get().event_ids == [dead.id]
        assert answer.status_code == 302

    def test_asked_again_it_says_that_there_is_none(self, operator, dead, clock):
        for _ in range(2):
            operator.post("/flow/replay/", {"schema": "utrecht", "event": str(dead.id)})
            for replay in Replay.objects.all():
                run(replay_id=replay.id, at=clock.now())
        assert Replay.objects.count() == 1

    @pytest.mark.parametrize("form", [{}, {"event": "1"}, {"schema": "utrecht", "event": "x"}, {"schema": "atlantis"}])
    def test_what_makes_no_sense_is_not_found(self, operator, dead, form):
        assert operator.post("/flow/replay/", form).status_code == 404

    def test_support_looks_and_does_not_put_back(self, support, dead):
        assert "/flow/replay/" not in page(support, "/flow/")
        assert support.get("/flow/replay/?schema=utrecht").status_code == 403
        assert support.post("/flow/replay/", {"schema": "utrecht"}).status_code == 403
        assert not Replay.objects.exists()
