"""What an agent sees and does: the inbox, a thread, a reply, a template, closing."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from messaging.models import Message, OutboxItem, Thread
from tests.messaging import meta
from tests.web.answering import answer_of


@pytest.fixture
def agent(people):
    """Return an agent's browser."""
    return people("utrecht", "AGENT")


def _in_utrecht(query):
    with schema_context("utrecht"):
        return query()


def _page(client, path, **more) -> str:
    return client.get(path, **more).content.decode()


def test_the_inbox_shows_who_waits_longest_first(agent, thread, utrecht, clock):
    with schema_context("utrecht"):
        earlier = clock.now() - timedelta(hours=5)
        meta.receive(
            utrecht, meta.message(utrecht, wamid="wamid.A", at=earlier, wa_id="31697000009", name="Anna", text="Hallo?")
        )
    page = _page(agent, "/inbox/")
    assert page.index("Anna") < page.index("Piet")
    assert "wacht 5 uur" in page
    assert "wacht 10 minuten" in page


def test_an_empty_inbox_says_so(agent):
    assert "Niemand wacht op antwoord" in _page(agent, "/inbox/")


def test_a_page_of_htmx_is_the_part_alone(agent, thread):
    part = _page(agent, "/inbox/", headers={"HX-Request": "true"})
    assert "<html" not in part
    assert "Piet" in part


def test_the_inbox_takes_as_many_queries_for_many_threads_as_for_one(agent, thread, utrecht, clock):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            agent.get("/inbox/")
        return len(captured)

    agent.get("/inbox/")
    one = queries()
    with schema_context("utrecht"):
        bodies = [
            meta.message(
                utrecht, wamid=f"wamid.N{number}", at=clock.now(), wa_id=f"3169700{number:04}", name=f"N{number}"
            )
            for number in range(100, 130)
        ]
        meta.receive(utrecht, *bodies)
    assert queries() == one <= 17


def test_a_thread_shows_its_messages_in_the_order_of_their_stamps(agent, thread, utrecht, clock):
    with schema_context("utrecht"):
        late = meta.message(
            utrecht, wamid="wamid.LATE", at=clock.now() - timedelta(minutes=30), text="Dit kwam te laat aan"
        )
        meta.receive(utrecht, late)
    page = _page(agent, f"/threads/{thread.id}/")
    assert page.index("Dit kwam te laat aan") < page.index("Is mijn vergunning klaar?")


def test_messages_of_one_second_keep_the_order_in_which_they_came(agent, thread, utrecht, clock):
    texts = [f"deel {number} van tien" for number in range(10)]
    with schema_context("utrecht"):
        bodies = [meta.message(utrecht, wamid=f"wamid.P{n}", at=clock.now(), text=t) for n, t in enumerate(texts)]
        meta.receive(utrecht, *bodies)
    shown = re.findall(r"deel \d van tien", _page(agent, f"/threads/{thread.id}/"))
    assert shown == texts


def test_a_citizens_words_are_never_markup(agent, utrecht, clock):
    words = '<script>alert("1")</script>\n<b>dik</b>'
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now(), text=words, name="<i>Piet</i>"))
        id_ = Thread.objects.get().id
    for path in ("/inbox/", f"/threads/{id_}/"):
        page = _page(agent, path)
        assert "<b>dik" not in page
        assert "<i>Piet" not in page
        assert "alert(" not in page.replace("&lt;script&gt;alert(", "")


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("image", {"id": "1", "caption": "de tekening"}, ["Afbeelding", "de tekening"]),
        ("unsupported", {}, ["Een soort bericht dat WhatsApp niet doorgeeft"]),
        ("hologram", {"a": 1}, ["Een soort bericht dat deze pagina niet kent: hologram"]),
    ],
)
def test_what_is_no_text_is_named(agent, utrecht, clock, kind, content, words):
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now(), **{"type": kind, kind: content}))
        id_ = Thread.objects.get().id
    page = _page(agent, f"/threads/{id_}/")
    assert all(word in page for word in words)


def test_a_reply_is_queued_in_the_agents_name(agent, thread):
    answer = agent.post(f"/threads/{thread.id}/reply/", answer_of("Ja, die ligt klaar."))
    assert (answer.status_code, answer.url) == (302, f"/threads/{thread.id}/#last")
    page = _page(agent, f"/threads/{thread.id}/")
    assert "Ja, die ligt klaar." in page
    assert "Agent van utrecht" in page
    assert "In de wachtrij" in page
    assert _in_utrecht(OutboxItem.objects.count) == 1


def test_an_empty_reply_is_refused_and_says_why(agent, thread):
    answer = agent.post(f"/threads/{thread.id}/reply/", answer_of("   "))
    assert answer.status_code == 422
    assert "Schrijf eerst een bericht." in answer.content.decode()
    assert _in_utrecht(OutboxItem.objects.count) == 0


def test_a_reply_that_is_too_long_is_kept_in_the_form(agent, thread):
    answer = agent.post(f"/threads/{thread.id}/reply/", answer_of("a" * 4097))
    assert answer.status_code == 422
    assert "a" * 4097 in answer.content.decode()


def test_after_the_window_there_is_no_reply_form_and_no_reply(agent, thread, approved, clock):
    clock.move(hours=24)
    page = _page(agent, f"/threads/{thread.id}/")
    assert "De 24 uur waarin u vrij kon antwoorden zijn voorbij" in page
    assert 'name="text"' not in page
    assert "vervolg_op_uw_vraag" in page
    answer = agent.post(f"/threads/{thread.id}/reply/", answer_of("Toch nog even"))
    assert answer.status_code == 422
    assert _in_utrecht(OutboxItem.objects.count) == 0


def test_a_template_is_filled_in_seen_and_sent(agent, thread, approved, clock):
    clock.move(hours=30)
    path = f"/threads/{thread.id}/template/{approved.id}/"
    assert "Bijvoorbeeld: mevrouw De Vries" in _page(agent, path)
    values = {"value-naam": "meneer <Piet>", "value-onderwerp": "uw vergunning"}
    preview = agent.post(path, {**values, "step": "preview"}).content.decode()
    assert "Goedendag meneer &lt;Piet&gt;, u stelde ons een vraag over uw vergunning." in preview
    assert _in_utrecht(OutboxItem.objects.count) == 0
    assert agent.post(path, {**values, "step": "send"}).status_code == 302
    sent = _in_utrecht(lambda: Message.objects.get(direction="OUTBOUND"))
    assert sent.text.startswith("Goedendag meneer <Piet>, u stelde")
    assert (sent.template_name, sent.purpose) == ("vervolg_op_uw_vraag", "SERVICES")


def test_a_template_with_an_empty_field_is_refused(agent, thread, approved):
    path = f"/threads/{thread.id}/template/{approved.id}/"
    for step in ("preview", "send"):
        answer = agent.post(path, {"value-naam": "Piet", "value-onderwerp": " ", "step": step})
        assert answer.status_code == 422
        assert "Vul elk veld van de template in." in answer.content.decode()
    assert _in_utrecht(OutboxItem.objects.count) == 0


def test_closing_is_asked_first_and_said_after(agent, thread):
    path = f"/threads/{thread.id}/close/"
    assert "Piet wacht nog op antwoord." in _page(agent, path)
    assert _in_utrecht(lambda: Thread.objects.get().state) == "OPEN"
    page = agent.post(path, {"reason": "ANSWERED"}, follow=True).content.decode()
    assert "Het gesprek is gesloten." in page
    assert _in_utrecht(lambda: Thread.objects.get().state) == "CLOSED"
    assert agent.post(f"/threads/{thread.id}/reply/", answer_of("nog iets")).status_code == 422


def test_what_failed_says_why(agent, thread, utrecht, clock):
    agent.post(f"/threads/{thread.id}/reply/", answer_of("Ja"))
    with schema_context("utrecht"):
        id_ = str(Message.objects.get(direction="OUTBOUND").id)
        error = {"code": 131026, "title": "Message undeliverable"}
        meta.receive(utrecht, meta.status(utrecht, wamid="wamid.O", status="failed", opaque_id=id_, errors=[error]))
    page = _page(agent, f"/threads/{thread.id}/")
    assert "Niet te bezorgen: dit nummer heeft geen WhatsApp" in page
    assert "(WhatsApp, code 131026)" in page


def test_earlier_messages_are_a_click_away(agent, thread, utrecht, clock):
    with schema_context("utrecht"):
        bodies = [
            meta.message(
                utrecht, wamid=f"wamid.M{n}", at=clock.now() - timedelta(seconds=200 - n), text=f"bericht-{n:03}."
            )
            for n in range(130)
        ]
        meta.receive(utrecht, *bodies)
    seen: list[str] = []
    path = f"/threads/{thread.id}/"
    while True:
        page = _page(agent, path)
        seen = re.findall(r"bericht-\d{3}\.", page) + seen
        more = re.search(r'href="(\?before=[^"]+)"', page)
        if more is None:
            break
        path = f"/threads/{thread.id}/{more[1]}"
    assert seen == [f"bericht-{n:03}." for n in range(130)]


def test_another_municipalitys_thread_is_not_here(people, thread):
    client = people("delft", "AGENT")
    for path in ("", "close/", "template/00000000-0000-0000-0000-000000000000/"):
        assert client.get(f"/threads/{thread.id}/{path}").status_code == 404
    assert client.post(f"/threads/{thread.id}/reply/", answer_of("hallo")).status_code == 404
    assert client.post(f"/threads/{thread.id}/close/").status_code == 404
    assert "Piet" not in _page(client, "/inbox/?list=all")
    assert _in_utrecht(lambda: Thread.objects.get().state) == "OPEN"


def test_no_page_holds_script_or_style_of_its_own(agent, thread):
    for path in ("/inbox/", f"/threads/{thread.id}/", f"/threads/{thread.id}/close/"):
        page = _page(agent, path)
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


def test_a_page_of_citizens_words_lies_in_no_cache(agent, thread):
    assert agent.get(f"/threads/{thread.id}/").headers["Cache-Control"] == "no-store"


class TestListening:
    def test_it_admits_an_agent_with_the_version_of_the_page(self, agent, thread):
        page = _page(agent, f"/threads/{thread.id}/")
        answer = agent.get(f"/live/threads/{thread.id}/", headers={"Accept": "text/event-stream"})
        assert answer.status_code == 204
        assert f'data-version="{answer.headers["X-Live-Version"]}"' in page

    def test_its_version_changes_with_what_is_shown(self, agent, thread, utrecht, clock):
        def versions():
            return [
                agent.get(path).headers["X-Live-Version"] for path in ("/live/inbox/", f"/live/threads/{thread.id}/")
            ]

        before = versions()
        assert versions() == before
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.NEW", at=clock.now()))
        assert not set(before) & set(versions())

    def test_it_admits_nobody_who_may_not_see_the_page(self, people, thread, client):
        assert people("utrecht", "ADMIN").get("/live/inbox/").status_code == 403
        assert people("delft", "AGENT").get(f"/live/threads/{thread.id}/").status_code == 404
        headers = {"Accept": "text/event-stream", "Host": "utrecht.localhost"}
        assert client.get("/live/inbox/", headers=headers).status_code == 401
