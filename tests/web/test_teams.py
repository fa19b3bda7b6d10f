"""Teams: an admin makes them, threads are handed to them, and agents see no other team's where that was chosen."""

import re
import uuid
from datetime import timedelta

import pytest
from django_tenants.utils import schema_context

from accounts import teams
from accounts.models import Team, User
from audit.models import Entry
from audit.record import Actor
from messaging import seeing
from messaging import teams as handing
from messaging.models import Message, OutboxItem, Thread
from messaging.replying import reply
from tests.isolation.addresses import TENANT_URLS, routes
from tests.messaging import meta
from tests.messaging.test_uncertain import lost

ADMIN = Actor.system("tests")
OF_A_THREAD = sorted(route for route in routes(urlconf=TENANT_URLS) if route.startswith(("threads/<", "live/threads/")))
WORDS = "Is mijn vergunning klaar?"


def only_own(clock, *, chosen: bool = True) -> None:
    with schema_context("utrecht"):
        teams.set_rule(only_own=chosen, actor=ADMIN, at=clock.now())


def make(clock, name: str, *emails: str) -> Team:
    with schema_context("utrecht"):
        team = teams.make(name=name, actor=ADMIN, at=clock.now())
        ids = list(User.objects.filter(email__in=emails).values_list("id", flat=True))
        return teams.change(team_id=team.id, name=name, member_ids=ids, actor=ADMIN, at=clock.now())


def hand(clock, thread: Thread, team: Team | None) -> None:
    with schema_context("utrecht"):
        handing.hand_over(thread_id=thread.id, team_id=team.id if team else None, actor=ADMIN, at=clock.now())


@pytest.fixture
def agent(people):
    return people("utrecht", "AGENT")


@pytest.fixture
def others(agent, clock) -> Team:
    """Return a team that the agent is not in."""
    return make(clock, "Vergunningen")


@pytest.fixture
def elsewhere(agent, thread, others, clock) -> Thread:
    """Return a thread with an uncertain answer that is with that team, where agents see only their own."""
    with schema_context("utrecht"):
        lost(reply(thread_id=thread.id, text="Op de Markt.", actor=ADMIN, at=clock.now()))
    hand(clock, thread, others)
    only_own(clock)
    return thread


def address(route: str, thread: Thread) -> str:
    with schema_context("utrecht"):
        message = Message.objects.get(state="UNCERTAIN")
    known = {"thread_id": thread.id, "message_id": message.id}
    return "/" + re.sub(r"<uuid:(\w+)>", lambda match: str(known.get(match[1], uuid.uuid4())), route)


class TestWhoSeesWhat:
    @pytest.mark.parametrize("route", OF_A_THREAD)
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_no_address_of_a_thread_is_there_for_another_team(self, agent, elsewhere, route, method):
        answer = getattr(agent, method)(address(route, elsewhere))
        assert answer.status_code in {404, 405}, route
        assert WORDS not in answer.content.decode()
        with schema_context("utrecht"):
            assert not OutboxItem.objects.exists()

    def test_the_same_addresses_are_there_for_the_team_and_for_supervisors(self, agent, people, elsewhere, clock):
        asked = [address(route, elsewhere) for route in ("threads/<uuid:thread_id>/", "live/threads/<uuid:thread_id>/")]
        supervisor = people("utrecht", "SUPERVISOR")
        assert [supervisor.get(path).status_code for path in asked] == [200, 204]
        assert [agent.get(path).status_code for path in asked] == [404, 404]
        with schema_context("utrecht"):
            me = User.objects.get(email="agent@utrecht.example").id
            team = Team.objects.get()
            teams.change(team_id=team.id, name=team.name, member_ids=[me], actor=ADMIN, at=clock.now())
        assert [agent.get(path).status_code for path in asked] == [200, 204]

    @pytest.mark.parametrize("path", ["/inbox/", "/inbox/?list=all", "/unreached/"])
    def test_no_list_shows_it_nor_counts_it(self, agent, people, elsewhere, path, utrecht, clock):
        with schema_context("utrecht"):
            at = clock.now() + timedelta(seconds=1)
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.X", at=at, text="Hallo, bent u daar?"))
        seen = people("utrecht", "SUPERVISOR").get(path).content.decode()
        hidden = agent.get(path).content.decode()
        assert str(elsewhere.id) in seen
        assert str(elsewhere.id) not in hidden
        assert "Hallo, bent u daar?" not in hidden

    def test_changes_of_it_make_no_news_in_the_agents_inbox(self, agent, elsewhere, utrecht, clock):
        def version() -> str:
            return agent.get("/live/inbox/").headers["X-Live-Version"]

        before = version()
        with schema_context("utrecht"):
            at = clock.now() + timedelta(seconds=1)
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.X", at=at, text="Hallo?"))
        assert version() == before

    def test_what_no_team_has_everybody_sees(self, agent, thread, others, clock):
        only_own(clock)
        assert agent.get(f"/threads/{thread.id}/").status_code == 200
        assert WORDS in agent.get("/inbox/").content.decode()

    def test_what_is_given_to_an_agent_they_see_whatever_team_has_it(self, agent, elsewhere):
        with schema_context("utrecht"):
            Thread.objects.update(assignee_id=User.objects.get(email="agent@utrecht.example").id)
        assert agent.get(f"/threads/{elsewhere.id}/").status_code == 200

    def test_all_see_all_unless_the_municipality_chose(self, agent, elsewhere, clock):
        only_own(clock, chosen=False)
        assert agent.get(f"/threads/{elsewhere.id}/").status_code == 200

    def test_the_sight_ends_with_the_request(self, agent, elsewhere):
        agent.get(f"/threads/{elsewhere.id}/")
        with schema_context("utrecht"):
            assert seeing.may_see(thread_id=elsewhere.id)


class TestHandingOver:
    def test_an_agent_hands_it_on_and_it_is_out_of_sight(self, agent, thread, others, clock):
        only_own(clock)
        path = f"/threads/{thread.id}/team/"
        assert "Vergunningen" in agent.get(path).content.decode()
        answer = agent.post(path, {"team": str(others.id)})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/inbox/")
        assert agent.get(f"/threads/{thread.id}/").status_code == 404
        with schema_context("utrecht"):
            entry = Entry.objects.get(action="thread.hand_over")
        assert entry.details == {"team": str(others.id)}

    def test_it_stays_in_sight_for_its_own_team_and_goes_back_to_none(self, agent, thread, clock):
        mine = make(clock, "Balie", "agent@utrecht.example")
        only_own(clock)
        path = f"/threads/{thread.id}/team/"
        assert agent.post(path, {"team": str(mine.id)}).headers["Location"] == f"/threads/{thread.id}/"
        assert "Balie" in agent.get(f"/threads/{thread.id}/").content.decode()
        agent.post(path, {"team": ""})
        with schema_context("utrecht"):
            assert Thread.objects.get().team_id is None

    @pytest.mark.parametrize(("team", "status"), [("x", 400), (str(uuid.UUID(int=7)), 404)])
    def test_what_is_no_team_is_refused(self, agent, thread, team, status):
        assert agent.post(f"/threads/{thread.id}/team/", {"team": team}).status_code == status

    def test_without_teams_the_page_says_who_makes_them(self, agent, thread):
        assert "Uw beheerder maakt ze" in agent.get(f"/threads/{thread.id}/team/").content.decode()


class TestTheAdmin:
    @pytest.fixture
    def admin(self, people, agent):
        return people("utrecht", "ADMIN")

    def test_makes_a_team_puts_people_in_and_takes_them_out(self, admin):
        made = admin.post("/teams/", {"name": "  Burger   zaken "})
        with schema_context("utrecht"):
            me, team = User.objects.get(email="agent@utrecht.example"), Team.objects.get()
        assert (team.name, made.headers["Location"]) == ("Burger zaken", f"/teams/{team.id}/")
        admin.post(f"/teams/{team.id}/", {"name": "Burgerzaken", "member": [str(me.id)]})
        page = admin.get("/teams/").content.decode()
        assert "Burgerzaken" in page
        assert "Agent van utrecht" in page
        admin.post(f"/teams/{team.id}/", {"name": "Burgerzaken"})
        assert "Nog niemand" in admin.get("/teams/").content.decode()
        with schema_context("utrecht"):
            actions = list(Entry.objects.filter(action__startswith="team.").values_list("action", flat=True))
        assert actions == ["team.make", "team.change", "team.change"]

    def test_only_who_answers_citizens_can_be_put_in(self, admin, others):
        with schema_context("utrecht"):
            admins = User.objects.get(email="admin@utrecht.example")
        page = admin.get(f"/teams/{others.id}/").content.decode()
        assert "Agent van utrecht" in page
        admin.post(f"/teams/{others.id}/", {"name": "Vergunningen", "member": [str(admins.id)]})
        with schema_context("utrecht"):
            assert teams.teams()[0].members == ()

    @pytest.mark.parametrize(("name", "words"), [("", "Geef het team een naam"), ("VERGUNNINGEN", "Er is al een team")])
    def test_a_name_that_cannot_be_is_refused_and_kept_in_the_form(self, admin, others, name, words):
        answer = admin.post("/teams/", {"name": name})
        assert answer.status_code == 422
        assert words in answer.content.decode()
        with schema_context("utrecht"):
            assert Team.objects.count() == 1

    def test_dissolving_gives_its_threads_back_to_all(self, admin, agent, elsewhere, others):
        assert "Vergunningen opheffen?" in admin.get(f"/teams/{others.id}/dissolve/").content.decode()
        assert admin.post(f"/teams/{others.id}/dissolve/").status_code == 302
        assert admin.post(f"/teams/{others.id}/dissolve/").status_code == 404
        assert agent.get(f"/threads/{elsewhere.id}/").status_code == 200
        with schema_context("utrecht"):
            assert Entry.objects.get(action="team.dissolve").details == {"name": "Vergunningen", "threads": 1}

    def test_chooses_what_agents_see(self, admin):
        admin.post("/teams/rule/", {"only_own": "yes"})
        assert "Medewerkers zien de gesprekken van hun eigen teams" in admin.get("/teams/").content.decode()
        assert admin.post("/teams/rule/", {"only_own": "perhaps"}).status_code == 400
        admin.post("/teams/rule/", {"only_own": "no"})
        with schema_context("utrecht"):
            assert not teams.sees_only_own()
