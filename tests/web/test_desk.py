"""Agents together: who has a conversation, what they tell each other, and that nobody answers twice."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from accounts import teams
from accounts.models import User
from audit.models import Entry
from audit.record import Actor
from messaging import teams as handing
from messaging.desk.assigning import release_all
from messaging.models import Mention, Message, Thread, ThreadNote
from tests.messaging import meta
from tests.web.answering import answer_of


@pytest.fixture
def agent(people):
    """Return an agent's browser."""
    return people("utrecht", "AGENT")


@pytest.fixture
def colleague(people):
    """Return a supervisor's browser, of the same municipality."""
    return people("utrecht", "SUPERVISOR")


def _user(role: str) -> User:
    with schema_context("utrecht"):
        return User.objects.get(email=f"{role.lower()}@utrecht.example")


def _thread(thread: Thread) -> Thread:
    with schema_context("utrecht"):
        return Thread.objects.get(id=thread.id)


def _list(client, choice: str) -> str:
    return client.get(f"/inbox/?list={choice}").content.decode()


def _kinds() -> list[str]:
    with schema_context("utrecht"):
        return sorted(ThreadNote.objects.values_list("kind", flat=True))


class TestWhoHasIt:
    def test_who_takes_a_conversation_finds_it_among_their_own_and_others_do_not(self, agent, colleague, thread):
        assert "Piet" in _list(agent, "unassigned")
        assert agent.post(f"/threads/{thread.id}/take/").status_code == 302
        assert _thread(thread).assignee_id == _user("AGENT").id
        assert "Piet" in _list(agent, "mine")
        assert "Piet" not in _list(agent, "unassigned")
        assert "Piet" not in _list(colleague, "mine")
        assert "Agent van utrecht" in _list(colleague, "waiting")

    def test_a_second_taker_is_told_who_was_first(self, agent, colleague, thread):
        agent.post(f"/threads/{thread.id}/take/")
        answer = colleague.post(f"/threads/{thread.id}/take/")
        assert answer.status_code == 422
        assert "Een collega heeft dit gesprek intussen genomen" in answer.content.decode()
        assert _thread(thread).assignee_id == _user("AGENT").id

    def test_taking_twice_is_one_line_in_the_conversation(self, agent, thread):
        for _ in range(2):
            agent.post(f"/threads/{thread.id}/take/")
        assert _kinds() == ["ASSIGNED"]

    def test_it_is_handed_over_to_who_answers_citizens_and_to_nobody_else(self, agent, colleague, people, thread):
        people("utrecht", "FINANCE")
        colleague.get("/inbox/")
        handed = agent.post(f"/threads/{thread.id}/assign/", {"to": str(_user("SUPERVISOR").id)})
        assert handed.status_code == 302
        assert "Piet" in _list(colleague, "mine")
        refused = agent.post(f"/threads/{thread.id}/assign/", {"to": str(_user("FINANCE").id)})
        assert refused.status_code == 422
        assert _thread(thread).assignee_id == _user("SUPERVISOR").id

    def test_whoever_answers_what_nobody_has_has_it(self, agent, thread):
        agent.post(f"/threads/{thread.id}/reply/", answer_of("Goedemorgen"))
        assert _thread(thread).assignee_id == _user("AGENT").id

    def test_who_leaves_gives_back_what_is_open(self, agent, thread, clock):
        agent.post(f"/threads/{thread.id}/take/")
        user = _user("AGENT")
        with schema_context("utrecht"):
            assert release_all(user_id=user.id, actor=user.actor(), at=clock.now()) == 1
            assert release_all(user_id=user.id, actor=user.actor(), at=clock.now()) == 0
        assert _thread(thread).assignee_id is None

    def test_the_trail_knows_and_has_no_word_of_it(self, agent, thread):
        agent.post(f"/threads/{thread.id}/note/", {"note": "Heeft schulden"})
        with schema_context("utrecht"):
            entry = Entry.objects.get(action="thread.note")
        assert "schulden" not in str(entry.details) + entry.subject


class TestNobodyAnswersTwice:
    def test_a_form_sent_twice_sends_once(self, agent, thread):
        form = answer_of("Goedemorgen")
        assert [agent.post(f"/threads/{thread.id}/reply/", form).status_code for _ in range(2)] == [302, 302]
        with schema_context("utrecht"):
            assert Message.objects.filter(direction="OUTBOUND").count() == 1

    def test_an_id_of_another_conversation_sends_nothing_and_shows_nothing(self, agent, thread, utrecht, clock):
        with schema_context("utrecht"):
            meta.receive(
                utrecht, meta.message(utrecht, wamid="wamid.A", at=clock.now(), wa_id="31697000009", name="Anna")
            )
            other = Thread.objects.exclude(id=thread.id).get()
        form = answer_of("Voor Anna")
        agent.post(f"/threads/{other.id}/reply/", form)
        answer = agent.post(f"/threads/{thread.id}/reply/", {**form, "text": "Voor Piet"})
        assert answer.status_code == 404
        with schema_context("utrecht"):
            assert Message.objects.filter(direction="OUTBOUND").count() == 1

    def test_who_wrote_while_a_colleague_answered_is_told_and_keeps_the_text(self, agent, colleague, thread, clock):
        form = answer_of("Mijn antwoord")
        clock.move(seconds=30)
        colleague.post(f"/threads/{thread.id}/reply/", answer_of("Al beantwoord"))
        clock.move(seconds=30)
        refused = agent.post(f"/threads/{thread.id}/reply/", form)
        page = refused.content.decode()
        assert refused.status_code == 422
        assert "Een collega heeft geantwoord terwijl u schreef" in page
        assert "Mijn antwoord" in page
        assert "Al beantwoord" in page
        assert agent.post(f"/threads/{thread.id}/reply/", answer_of("Mijn antwoord")).status_code == 302

    @pytest.mark.parametrize("left_out", ["once", "seen"])
    def test_a_form_without_its_guard_is_no_form(self, agent, thread, left_out):
        form = answer_of("Goedemorgen")
        del form[left_out]
        assert agent.post(f"/threads/{thread.id}/reply/", form).status_code == 400
        assert agent.post(f"/threads/{thread.id}/reply/", {**form, left_out: "x"}).status_code == 400


class TestAside:
    def test_what_is_put_aside_leaves_the_lists_and_comes_back_at_its_time(self, agent, thread, clock):
        agent.post(f"/threads/{thread.id}/snooze/", {"until": "4h"})
        assert "Piet" in _list(agent, "snoozed")
        assert all("Piet" not in _list(agent, choice) for choice in ("waiting", "all", "unassigned"))
        clock.move(hours=4)
        assert "Piet" not in _list(agent, "snoozed")
        assert "Piet" in _list(agent, "waiting")

    def test_it_comes_back_when_the_citizen_writes(self, agent, thread, utrecht, clock):
        agent.post(f"/threads/{thread.id}/snooze/", {"until": "week"})
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.2", at=clock.now(), text="Bent u er nog?"))
        assert "Piet" in _list(agent, "waiting")

    def test_it_is_taken_up_again_by_hand(self, agent, thread):
        agent.post(f"/threads/{thread.id}/snooze/", {"until": "tomorrow"})
        agent.post(f"/threads/{thread.id}/snooze/", {"until": ""})
        assert "Piet" in _list(agent, "all")
        assert _kinds() == ["SNOOZED", "WOKEN"]

    @pytest.mark.parametrize(("chosen", "hours"), [("1h", 1), ("tomorrow", 23), ("week", 167)])
    def test_a_choice_is_a_moment_in_amsterdam(self, agent, thread, clock, chosen, hours):
        agent.post(f"/threads/{thread.id}/snooze/", {"until": chosen})
        assert _thread(thread).snoozed_until - clock.now() == timedelta(hours=hours)


class TestNotes:
    def test_a_note_stands_in_the_conversation_and_names_a_colleague(self, agent, colleague, thread):
        text = "@Supervisor van utrecht kijk je mee? <b>Haast</b>"
        agent.post(f"/threads/{thread.id}/note/", {"note": text})
        assert "Uw naam wordt genoemd" in _list(colleague, "waiting")
        assert "Uw naam wordt genoemd" not in _list(agent, "waiting")
        page = colleague.get(f"/threads/{thread.id}/").content.decode()
        assert "kijk je mee?" in page
        assert "<b>Haast" not in page
        assert "Uw naam wordt genoemd" not in _list(colleague, "waiting")
        with schema_context("utrecht"):
            assert Mention.objects.get().seen_at is not None

    def test_it_never_leaves(self, agent, thread):
        agent.post(f"/threads/{thread.id}/note/", {"note": "Alleen voor ons"})
        with schema_context("utrecht"):
            assert not Message.objects.filter(text__contains="Alleen voor ons").exists()

    @pytest.mark.parametrize("text", ["", "  \n ", "a" * 4001])
    def test_an_empty_or_endless_note_is_refused_and_kept_in_the_form(self, agent, thread, text):
        refused = agent.post(f"/threads/{thread.id}/note/", {"note": text})
        assert refused.status_code == 422
        assert "Schrijf een notitie van ten hoogste 4.000 tekens" in refused.content.decode()
        assert _kinds() == []

    def test_a_case_is_linked_and_unlinked(self, agent, thread):
        agent.post(f"/threads/{thread.id}/case/", {"case": " Z/2026-0 12 "})
        assert _thread(thread).case_number == "Z/2026-0 12"
        assert agent.post(f"/threads/{thread.id}/case/", {"case": "<script>"}).status_code == 422
        agent.post(f"/threads/{thread.id}/case/", {"case": ""})
        assert _thread(thread).case_number == ""
        assert _kinds() == ["CASE", "CASE"]


class TestOtherConversations:
    def test_a_conversation_leads_to_those_of_the_same_citizen_and_of_nobody_else(self, agent, thread, utrecht, clock):
        agent.post(f"/threads/{thread.id}/case/", {"case": "Z-9"})
        agent.post(f"/threads/{thread.id}/close/", {"reason": "NO_REPLY"})
        assert 'data-key="h"' not in agent.get(f"/threads/{thread.id}/").content.decode()
        with schema_context("utrecht"):
            meta.receive(
                utrecht,
                meta.message(utrecht, wamid="wamid.AGAIN", at=clock.now()),
                meta.message(utrecht, wamid="wamid.ANNA", at=clock.now(), wa_id="31697000009", name="Anna"),
            )
            again = Thread.objects.get(contact_id=thread.contact_id, state="OPEN")
            anna = Thread.objects.get(contact__wa_id="31697000009")
        page = agent.get(f"/threads/{again.id}/").content.decode()
        others = page.split('data-key="h"')[1].split("</details>")[0]
        assert f"/threads/{thread.id}/" in others
        assert "De inwoner reageert niet meer" in others
        assert "Zaak Z-9" in others
        assert f"/threads/{anna.id}/" not in others
        assert f"/threads/{again.id}/" in agent.get(f"/threads/{thread.id}/").content.decode()


class TestLists:
    def test_a_closed_conversation_says_why(self, agent, thread):
        assert agent.post(f"/threads/{thread.id}/close/").status_code == 422
        agent.post(f"/threads/{thread.id}/close/", {"reason": "NOT_FOR_US"})
        page = _list(agent, "closed")
        assert "Piet" in page
        assert "Niet voor de gemeente" in page
        assert "Piet" not in _list(agent, "all")

    def test_what_nobody_opened_is_marked_unread(self, agent, thread):
        assert "ongelezen" in _list(agent, "waiting")
        agent.get(f"/threads/{thread.id}/")
        assert "ongelezen" not in _list(agent, "waiting")

    def test_a_list_says_who_of_us_wrote_last(self, agent, colleague, thread):
        agent.post(f"/threads/{thread.id}/reply/", answer_of("Goedemorgen"))
        assert '<span class="threads__who">U:</span> Goedemorgen' in _list(agent, "all")
        assert '<span class="threads__who">Agent van utrecht:</span> Goedemorgen' in _list(colleague, "all")

    def test_a_list_is_limited_to_a_team_and_says_of_which_a_conversation_is(self, agent, thread, utrecht, clock):
        with schema_context("utrecht"):
            made = [teams.make(name=name, actor=Actor.system("tests"), at=clock.now()) for name in ("Zorg", "Afval")]
            handing.hand_over(thread_id=thread.id, team_id=made[0].id, actor=Actor.system("tests"), at=clock.now())
        page = agent.get(f"/inbox/?list=all&team={made[0].id}").content.decode()
        assert "Piet" in page
        assert "Team Zorg" in page
        assert f'href="?list=closed&amp;team={made[0].id}"' in page  # the other lists stay limited
        page = agent.get(f"/inbox/?list=all&team={made[1].id}").content.decode()
        assert "Piet" not in page
        assert "Geen gesprek in deze lijst is van dit team" in page

    def test_a_conversation_says_how_many_wait_and_which_one_is_next(self, agent, colleague, thread, utrecht, clock):
        wrote_at = clock.now() - timedelta(minutes=5)
        with schema_context("utrecht"):
            bodies = [
                meta.message(utrecht, wamid=f"wamid.W{n}", at=wrote_at + timedelta(minutes=n), wa_id=f"3169700001{n}")
                for n in range(2)
            ]
            meta.receive(utrecht, *bodies)
            first, last = Thread.objects.exclude(id=thread.id).order_by("waiting_since")
        page = agent.get(f"/threads/{thread.id}/").content.decode()
        assert f'data-count="3" data-newest="{last.waiting_since.timestamp():.0f}"' in page
        assert "Wacht op antwoord: 3" in page
        assert f'href="/threads/{first.id}/#last" data-key="w"' in page
        # What a colleague has is theirs; the one that is open is not the next.
        colleague.post(f"/threads/{first.id}/take/")
        assert f"/threads/{last.id}/" in agent.get(f"/inbox/waiting/?but={thread.id}").content.decode()
        assert f"/threads/{thread.id}/" in agent.get(f"/inbox/waiting/?but={last.id}").content.decode()

    def test_a_page_that_is_open_shows_who_has_the_conversation_and_that_it_is_closed(self, agent, colleague, thread):
        def part() -> str:
            return agent.get(f"/threads/{thread.id}/", headers={"HX-Request": "true"}).content.decode()

        def version() -> str:
            return part().split('data-version="')[1].split('"')[0]

        assert "Neem het" in part()
        before = version()
        colleague.post(f"/threads/{thread.id}/take/")
        assert 'id="desk-now" hx-swap-oob="true"' in part()
        assert "Supervisor van utrecht heeft dit gesprek." in part()
        assert "Neem het" not in part()
        assert before != (taken := version())
        with schema_context("utrecht"):
            team = teams.make(name="Zorg", actor=Actor.system("tests"), at=thread.opened_at)
        colleague.post(f"/threads/{thread.id}/team/", {"team": str(team.id)})
        assert "Team Zorg" in part()
        assert "Supervisor van utrecht gaf het gesprek aan team Zorg" in part()
        colleague.post(f"/threads/{thread.id}/team/", {"team": ""})
        assert "Supervisor van utrecht haalde het gesprek weg bij zijn team" in part()
        assert taken != version()
        colleague.post(f"/threads/{thread.id}/close/", {"reason": "ANSWERED"})
        assert "Dit gesprek is gesloten" in part()
        assert "Supervisor van utrecht sloot het gesprek: De vraag is beantwoord" in part()

    @pytest.mark.parametrize("choice", ["mine", "unassigned", "waiting", "all", "snoozed", "closed"])
    def test_every_list_goes_on_behind_its_last_one_without_gap_or_double(self, agent, utrecht, clock, choice):
        me = _user_id(agent)
        with schema_context("utrecht"):
            bodies = [
                meta.message(utrecht, wamid=f"wamid.N{n}", at=clock.now(), wa_id=f"3169700{n:04}", name=f"Naam-{n:04}-")
                for n in range(120)  # all of one second: the id decides
            ]
            meta.receive(utrecht, *bodies)
            given = {
                "mine": {"assignee_id": me},
                "snoozed": {"snoozed_until": clock.now() + timedelta(hours=1)},
                "closed": {"state": "CLOSED", "closed_at": clock.now()},
            }
            Thread.objects.update(**given.get(choice, {"opened_at": clock.now()}))
        seen: list[str] = []
        address = f"/inbox/?list={choice}"
        while address:
            page = agent.get(address).content.decode()
            seen += [part[:4] for part in page.split("Naam-")[1:]]
            found = page.split('rel="next" href="')
            address = "/inbox/" + found[1].split('"')[0].replace("&amp;", "&") if len(found) > 1 else ""
        assert sorted(seen) == [f"{n:04}" for n in range(120)]

    def test_a_key_that_is_none_is_the_first_page(self, agent, thread):
        assert "Piet" in agent.get(f"/inbox/?list=all&after=2026~{uuid4()}").content.decode()
        assert agent.get("/inbox/?list=everything").status_code == 200

    def test_a_list_costs_no_more_queries_with_assignees(self, agent, thread, utrecht, clock):
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                agent.get("/inbox/?list=all")
            return len(captured)

        agent.post(f"/threads/{thread.id}/take/")
        queries()
        one = queries()
        with schema_context("utrecht"):
            bodies = [
                meta.message(utrecht, wamid=f"wamid.Q{n}", at=clock.now(), wa_id=f"3169800{n:04}") for n in range(30)
            ]
            meta.receive(utrecht, *bodies)
            Thread.objects.update(assignee_id=_user_id(agent))
        assert queries() == one <= 18


def _user_id(_client) -> UUID:
    return _user("AGENT").id
