"""Looking for what was said and for who said it: what is found and shown, and where the words never stand."""

from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from accounts import teams
from audit.models import Entry
from audit.record import Actor
from messaging import searching
from messaging.models import Message, Thread
from tests.messaging import meta

ANNA = {"wa_id": "31697000009", "name": "Anna van der Berg-Çelik"}


@pytest.fixture
def agent(people):
    """Return an agent's browser."""
    return people("utrecht", "AGENT")


@pytest.fixture
def threads(utrecht, thread, clock) -> Thread:
    """Return the thread of a second citizen, who wrote three messages."""
    with schema_context("utrecht"):
        texts = (
            "Wanneer kan ik mijn paspoorten ophalen?",
            "Mijn BSN is 999990342 voor het paspoort",
            "<b>vet</b> dank",
            "Eén café met creme",
        )
        for n, text in enumerate(texts):
            at = clock.now() - timedelta(minutes=9 - n)
            meta.receive(utrecht, meta.message(utrecht, wamid=f"wamid.A{n}", at=at, text=text, **ANNA))
        found = Thread.objects.exclude(id=thread.id).get()
        Thread.objects.filter(id=found.id).update(case_number="Z/2026-17")
        return found


def look(agent, words: str) -> str:
    sent = agent.post("/search/", {"words": words})
    assert (sent.status_code, sent.headers["Location"]) == (302, "/search/")
    return agent.get("/search/").content.decode()


class TestWhatIsFound:
    def test_words_names_numbers_and_cases(self, agent, threads):
        page = look(agent, "paspoort")  # by its stem, in both
        assert page.count('class="hit"') == 2
        assert '<mark class="hit">paspoorten</mark>' in page
        for words in ("anna", "berg", "çel", "anna van der", "06 97000009", "+31 697 000", "0009", "z/2026-17"):
            page = look(agent, words)
            assert "Anna van der Berg-Çelik" in page, words
            assert "Personen en zaken" in page, words
        # Accents do not count, in what is looked for and in what was written; other spellings do.
        for words in ("celik", "ÇELIK", "C\u0327elik", "cel", "Anna Celík"):
            assert "Anna van der Berg-Çelik" in look(agent, words), words
        for words, marked in (("cafe", "café"), ("crème", "creme")):
            assert f'<mark class="hit">{marked}</mark>' in look(agent, words), words
        for words in ("rijbewijs", "bern", "0031 6 1", "12"):
            assert "Er is niets gevonden" in look(agent, words), words
        assert "Zoek in alle gesprekken" in look(agent, "  ")
        for words in (
            "'",
            '"',
            "\\",
            ":*",
            "& |",
            "<script>alert(1)</script>",
            "%",
            "a' OR 1=1 --",
            "\x00\x02",
            "(" * 90,
        ):
            page = look(agent, words)
            assert "<script>alert" not in page
        # A hit leads to its place in the thread, and an older page does not move by itself.
        with schema_context("utrecht"):
            first = Message.objects.get(wamid="wamid.A0")
        page = agent.get(f"/threads/{threads.id}/?until={first.id}").content.decode()
        assert "paspoorten" in page
        assert "vet" not in page
        assert "data-live" not in page
        assert "Naar de laatste berichten" in page
        # What its writer withdrew is found no more.
        with schema_context("utrecht"):
            Message.objects.filter(wamid="wamid.A0").update(revoked_at=first.stamped_at)
        assert "paspoorten" not in look(agent, "paspoort")

    def test_what_is_found_is_masked_and_no_mark_up(self, agent, threads):
        page = look(agent, "999990342")
        assert "999990342" not in page.replace('value="999990342"', "")
        assert "•••••••42" in page
        page = look(agent, "dank")
        assert '<mark class="hit">dank</mark>' in page
        assert "<b>" not in page

    def test_it_goes_on_behind_a_page_without_gap_or_double(self, utrecht, thread, clock):
        with schema_context("utrecht"):
            at = clock.now()
            meta.receive(
                utrecht, *(meta.message(utrecht, wamid=f"wamid.N{n}", at=at, text=f"lantaarn {n}") for n in range(70))
            )
            found, key = [], None
            while True:
                page = searching.search(words="lantaarn", after=key, at=at)
                found += [hit.message.text for hit in page.hits]
                key = page.next
                if key is None:
                    break
        assert sorted(found) == sorted(f"lantaarn {n}" for n in range(70))

    def test_an_agent_finds_nothing_of_a_team_that_they_are_not_in(self, agent, people, threads, clock):
        with schema_context("utrecht"):
            team = teams.make(name="Vergunningen", actor=Actor.system("tests"), at=clock.now())
            teams.set_rule(only_own=True, actor=Actor.system("tests"), at=clock.now())
            Thread.objects.filter(id=threads.id).update(team_id=team.id)
        for words in ("paspoort", "anna", "97000009", "Z/2026-17"):
            assert "Er is niets gevonden" in look(agent, words)
        assert "Anna" in look(people("utrecht", "SUPERVISOR"), "paspoort")


class TestWhereTheWordsStand:
    def test_the_trail_knows_that_somebody_looked_and_not_for_what(self, agent, threads):
        look(agent, "Berg")
        with schema_context("utrecht"):
            entry = Entry.objects.filter(action="thread.search").latest("sequence")
        assert entry.details == {"found": 1}
        assert "berg" not in f"{entry.subject} {entry.actor_name}".lower()

    def test_another_municipality_finds_nothing_of_it(self, people, threads):
        assert "Er is niets gevonden" in look(people("delft", "AGENT"), "paspoort")

    def test_who_signs_out_leaves_no_words(self, agent, threads):
        look(agent, "Berg")
        agent.post("/sign-out/")
        assert agent.get("/search/").status_code == 302

    def test_it_is_found_by_its_index(self, utrecht, threads):
        """Among as many as a planner takes seriously: of few rows it reads all, or takes whichever index."""
        with schema_context("utrecht"), connection.cursor() as cursor:
            for row in (Message.objects.get(wamid="wamid.A2"), threads.contact):
                values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
                own = "wamid" if isinstance(row, Message) else "wa_id"
                type(row).objects.bulk_create(
                    type(row)(**values | {"id": uuid4(), own: f"31600{n:06}"}) for n in range(3000)
                )
                cursor.execute(f"ANALYZE {row._meta.db_table}")
            for query, index in (
                (searching._messages("paspoort", None), "message_by_words"),
                (searching._contacts("berg paspoort"), "contact_by_name"),
                (searching._contacts("97000009"), "contact_by_last_digits"),
            ):
                assert index in query.explain()


class TestWithoutTheExtension:
    @pytest.mark.parametrize("there", [False, True], ids=["not to be had", "there"])
    def test_where_it_may_not_be_made_all_is_found_but_by_accents(self, utrecht, there):
        """The migration, again and by a role that owns nothing else; `there`: somebody made the extension before."""
        migration = import_module("tenants.migrations.0012_plain_search")
        with connection.cursor() as cursor:
            for name in migration.CONFIGURATIONS:
                cursor.execute(f"ALTER TEXT SEARCH CONFIGURATION public.{name} RENAME TO {name}_before")
            if not there:
                cursor.execute("DROP EXTENSION unaccent CASCADE")
            cursor.execute("CREATE ROLE may_little")
            cursor.execute("GRANT USAGE, CREATE ON SCHEMA public TO may_little")
            cursor.execute("SET LOCAL ROLE may_little")
            with connection.schema_editor(atomic=False) as editor:
                migration.make(None, editor)
            cursor.execute(
                "SELECT to_tsvector('public.dutch_plain', 'de cafés') @@ to_tsquery('public.dutch_plain', 'cafés'),"
                " to_tsvector('public.names_plain', 'Çelik') @@ to_tsquery('public.names_plain', 'cel:*')"
            )
            assert cursor.fetchone() == (True, there)
