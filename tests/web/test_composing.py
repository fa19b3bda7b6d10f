"""What agents compose: drafts, canned replies, quotes, files, choices; labels; and masked numbers shown by a click."""

import io
import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django_tenants.utils import schema_context
from PIL import Image

from audit.models import Entry
from messaging import reading
from messaging.models import (
    CannedReply,
    Label,
    Medium,
    Message,
    MetaUpload,
    OutboxItem,
    ReplyDraft,
    Thread,
    ThreadLabel,
    ThreadNote,
)
from tests.messaging import meta, meta_sandbox
from tests.messaging.media_files import OGG
from tests.web.answering import answer_of


@pytest.fixture
def agent(people):
    """Return an agent's browser."""
    return people("utrecht", "AGENT")


@pytest.fixture
def admin(people):
    """Return an admin's browser."""
    return people("utrecht", "ADMIN")


@pytest.fixture
def whatsapp(settings, utrecht, clock):
    """Return Meta, as the sandbox imitates it over HTTP, which knows Utrecht's number."""
    with meta_sandbox.running() as made:
        made.set_time(clock.now())
        made.knows(utrecht)
        settings.META_GRAPH_URL = made.url
        yield made


def page_of(client, thread: Thread, query: str = "") -> str:
    return client.get(f"/threads/{thread.id}/{query}").content.decode()


def sent() -> Message:
    with schema_context("utrecht"):
        return Message.objects.filter(direction="OUTBOUND").latest("created_at", "id")


def actions() -> list[str]:
    with schema_context("utrecht"):
        return list(Entry.objects.order_by("sequence").values_list("action", flat=True))


class TestDrafts:
    def test_what_was_written_survives_and_goes_with_the_answer(self, agent, people, thread):
        address = f"/threads/{thread.id}/draft/"
        assert agent.post(address, {"text": "Beste meneer,\r\n"}).status_code == 204
        assert agent.post(address, {"text": "Beste mevrouw,\r\nUw *pas*"}).status_code == 204
        assert ">Beste mevrouw,\nUw *pas*</textarea>" in page_of(agent, thread)
        assert "Beste mevrouw" not in page_of(people("utrecht", "SUPERVISOR"), thread)  # each has their own
        assert agent.post(f"/threads/{thread.id}/reply/", answer_of("")).status_code == 422  # it is kept then
        with schema_context("utrecht"):
            assert ReplyDraft.objects.get().text == "Beste mevrouw,\nUw *pas*"
        agent.post(f"/threads/{thread.id}/reply/", answer_of("Beste mevrouw"))
        with schema_context("utrecht"):
            assert not ReplyDraft.objects.exists()
        agent.post(address, {"text": "Nog iets"})
        assert agent.post(address, {"text": " \n "}).status_code == 204
        with schema_context("utrecht"):
            assert not ReplyDraft.objects.exists()
        assert "thread.draft" not in " ".join(actions())


class TestCannedReplies:
    def test_a_supervisor_writes_one_and_an_agent_finds_it_filled_in(self, agent, people, thread):
        supervisor = people("utrecht", "SUPERVISOR")
        form = {
            "shortcut": "/Groet",
            "title": "Begroeting",
            "text": "Dag {naam}, {medewerker} van {gemeente}. {zaaknummer}",
        }
        assert supervisor.post("/canned/new/", form).status_code == 302
        for wrong in ({"shortcut": "twee woorden"}, {"text": ""}, {"text": "{bsn}"}, {"title": " "}, {}):
            refused = supervisor.post("/canned/new/", {**form, **wrong})  # the last one: its shortcut is taken
            assert refused.status_code == 422
        assert "Een ander antwoord heeft deze sneltekst al" in refused.content.decode()
        with schema_context("utrecht"):
            reply = CannedReply.objects.get()
        page = page_of(agent, thread)
        filled = "Dag Piet, Agent van utrecht van Utrecht. {zaaknummer}"  # what is not known stays for the agent to see
        assert f'data-canned="{filled}" data-shortcut="groet"' in page
        assert f">{filled}</textarea>" in page_of(agent, thread, f"?canned={reply.id}")
        assert "/groet" in supervisor.get("/canned/").content.decode()
        # Who calls themselves by a placeholder is not filled in twice.
        with schema_context("utrecht"):
            type(thread.contact).objects.update(profile_name="{medewerker}")
        assert "Dag {medewerker}, Agent" in page_of(agent, thread)
        supervisor.post(f"/canned/{reply.id}/", {**form, "title": "Groet", "safe": "yes"})
        supervisor.post("/canned/new/", {**form, "shortcut": "veilig", "safe": "yes"})
        with schema_context("utrecht"):
            assert [each.is_safe_route for each in CannedReply.objects.order_by("shortcut")] == [False, True]
        supervisor.post(f"/canned/{reply.id}/", {"step": "remove"})
        assert supervisor.post(f"/canned/{reply.id}/", form).status_code == 404
        assert [name for name in actions() if name.startswith("canned")] == [
            "canned.make",
            "canned.change",
            "canned.make",
            "canned.remove",
        ]


class TestLabels:
    def test_an_admin_makes_them_agents_put_them_on_and_lists_are_limited_to_one(
        self, agent, admin, thread, utrecht, clock
    ):
        assert admin.post("/labels/", {"name": " Klacht  over afval ", "colour": "BAD"}).status_code == 302
        for wrong in ({"name": "KLACHT over afval", "colour": "BAD"}, {"name": "", "colour": "BAD"}, {"name": "x"}):
            assert admin.post("/labels/", wrong).status_code == 422
        with schema_context("utrecht"):
            label = Label.objects.get()
            other = Label.objects.create(name="Vergunning", colour="GOOD")
            meta.receive(
                utrecht, meta.message(utrecht, wamid="wamid.B", at=clock.now(), wa_id="31697000009", name="Anna")
            )
        address = f"/threads/{thread.id}/labels/"
        for _ in range(2):
            assert agent.post(address, {"label": [str(label.id), str(other.id)]}).status_code == 302
        assert agent.post(address, {"label": "x"}).status_code == 400
        page = agent.get(f"/inbox/?list=all&label={label.id}").content.decode()
        assert "Piet" in page
        assert "Anna" not in page
        assert "label--bad" in page
        agent.post(address, {"label": [str(other.id)]})
        page = agent.get(f"/inbox/?list=all&label={label.id}").content.decode()
        assert "Geen gesprek in deze lijst heeft dit label" in page
        admin.post(f"/labels/{label.id}/", {"name": "Klacht", "colour": "WARNING"})
        assert "Klacht" in page_of(agent, thread)
        admin.post(f"/labels/{other.id}/", {"step": "remove"})
        with schema_context("utrecht"):
            assert not ThreadLabel.objects.exists()
        assert [name for name in actions() if "label" in name] == [
            "label.make",
            "thread.label",
            "thread.label",
            "label.change",
            "label.remove",
        ]

    def test_a_list_costs_no_more_queries_with_labels(
        self, agent, thread, utrecht, clock, django_assert_max_num_queries
    ):
        with schema_context("utrecht"):
            bodies = [
                meta.message(utrecht, wamid=f"wamid.L{n}", at=clock.now(), wa_id=f"3169800{n:04}") for n in range(30)
            ]
            meta.receive(utrecht, *bodies)
            labels = [Label.objects.create(name=f"L{n}") for n in range(5)]
            on = [ThreadLabel(thread=each, label=label) for each in Thread.objects.all() for label in labels]
            ThreadLabel.objects.bulk_create(on)
        agent.get("/inbox/?list=all")
        with django_assert_max_num_queries(18):
            agent.get("/inbox/?list=all")


class TestMaskedNumbers:
    def _stays_in_its_window(self, agent, people, thread, message, page):
        """Bring the window in which it was shown up to date; then another's, and this one after the text changed."""
        here = f"/threads/{thread.id}/"
        kept = {"HX-Request": "true", "X-Revealed": unescape(re.search(r'data-revealed="([^"]+)"', page)[1])}
        again = agent.get(here, headers=kept).content.decode()
        assert "999990342" in again
        assert "Toon het" not in again
        assert 'data-revealed="' in again
        colleague = people("utrecht", "SUPERVISOR")
        for client, headers in (
            (agent, {"HX-Request": "true"}),
            (colleague, kept),
            (agent, kept | {"X-Revealed": "x"}),
        ):
            assert "999990342" not in client.get(here, headers=headers).content.decode()
        with schema_context("utrecht"):
            Message.objects.filter(id=message.id).update(text="Nee: 123456782")
        assert "123456782" not in agent.get(here, headers=kept).content.decode()
        with schema_context("utrecht"):
            Message.objects.filter(id=message.id).update(text=message.text)
            assert Entry.objects.filter(action="message.reveal").count() == 1

    def test_they_are_shown_by_a_click_that_the_trail_knows(self, agent, people, utrecht, thread, clock):
        with schema_context("utrecht"):
            text = "Mijn BSN is 999990342, rekening NL91 ABNA 0417 1643 00"
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.S", at=clock.now(), text=text))
            message = Message.objects.get(wamid="wamid.S")
        for page in (agent.get("/inbox/?list=all").content.decode(), page_of(agent, thread)):
            assert "999990342" not in page
            assert "0417" not in page
        page = page_of(agent, thread)
        assert "een burgerservicenummer (BSN)" in page
        assert "een rekeningnummer (IBAN)" in page
        assert "Bied de veilige weg aan" in page
        assert "Voor uw veiligheid" in page_of(agent, thread, "?canned=safe")
        shown = agent.post(f"/threads/{thread.id}/messages/{message.id}/reveal/")
        assert "999990342" in shown.content.decode()
        with schema_context("utrecht"):
            entry = Entry.objects.get(action="message.reveal")
        assert (entry.subject, entry.details) == (f"message {message.id}", {"kinds": ["BSN", "IBAN"]})
        assert "999990342" not in page_of(agent, thread)
        self._stays_in_its_window(agent, people, thread, message, shown.content.decode())
        clock.move(seconds=1)
        # Once it is answered the advice is over, and the mask stays.
        agent.post(f"/threads/{thread.id}/reply/", answer_of("U kunt het veilig doorgeven."))
        page = page_of(agent, thread)
        assert "Bied de veilige weg aan" not in page
        assert "999990342" not in page

    def test_a_note_is_masked_too_and_a_name_of_a_file(self, agent, people, thread, clock):
        agent.post(f"/threads/{thread.id}/note/", {"note": "Belde: BSN 999990342"})
        with schema_context("utrecht"):
            note = ThreadNote.objects.get()
            message = Message.objects.get()
            now = clock.now()
            message.medium = Medium.objects.create(
                kind="document", state="FAILED", reason="SERVER_ERROR", filename="999990342.pdf", created_at=now
            )
            message.save()
            (shown,) = reading.thread(thread_id=thread.id, at=now).messages
            assert shown.medium.name.startswith("•••••••42")
        page = page_of(agent, thread)
        assert "Belde: BSN •••••••42" in page
        assert "999990342" not in page
        shown = agent.post(f"/threads/{thread.id}/notes/{note.id}/reveal/").content.decode()
        assert "Belde: BSN 999990342" in shown
        with schema_context("utrecht"):
            entry = Entry.objects.get(action="note.reveal")
        assert (entry.subject, entry.details) == (f"note {note.id}", {"kinds": ["BSN"]})
        assert agent.post(f"/threads/{thread.id}/notes/{message.id}/reveal/").status_code == 404
        assert people("utrecht", "ADMIN").post(f"/threads/{thread.id}/notes/{note.id}/reveal/").status_code == 403


class TestWhatIsSent:
    def test_a_text_that_did_not_arrive_is_put_in_the_answer_again(self, agent, thread):
        agent.post(f"/threads/{thread.id}/reply/", answer_of("Uw paspoort ligt klaar."))
        with schema_context("utrecht"):
            failed, asked = Message.objects.get(direction="OUTBOUND"), Message.objects.get(direction="INBOUND")
            reason = {"state": "FAILED", "failed_code": 131016, "failed_reason": "Service unavailable"}
            Message.objects.filter(id=failed.id).update(**reason)
        page = page_of(agent, thread)
        assert f'href="?again={failed.id}#text" data-canned="Uw paspoort ligt klaar."' in page
        assert ">Uw paspoort ligt klaar.</textarea>" in page_of(agent, thread, f"?again={failed.id}")
        assert 'id="text"' in page
        assert "klaar?</textarea>" not in page_of(agent, thread, f"?again={asked.id}")
        # Not where another channel is needed, nor where it was sent after all.
        for code, ours in ((131026, "Message undeliverable"), (None, "first_arrived")):
            with schema_context("utrecht"):
                Message.objects.filter(id=failed.id).update(failed_code=code, failed_reason=ours)
            assert "?again=" not in page_of(agent, thread)
            assert "klaar.</textarea>" not in page_of(agent, thread, f"?again={failed.id}")

    def test_a_quote_goes_along_and_none_of_another_thread(self, agent, thread, utrecht, clock):
        with schema_context("utrecht"):
            asked = Message.objects.get()
            meta.receive(
                utrecht, meta.message(utrecht, wamid="wamid.B", at=clock.now(), wa_id="31697000009", name="Anna")
            )
            other = Message.objects.get(wamid="wamid.B")
        assert f'name="answers" value="{asked.id}"' in page_of(agent, thread, f"?answers={asked.id}")
        address = f"/threads/{thread.id}/reply/"
        for wrong in (str(other.id), "x"):
            assert agent.post(address, {**answer_of("Ja"), "answers": wrong}).status_code == 400
        agent.post(address, {**answer_of("Ja"), "answers": str(asked.id)})
        assert sent().replies_to_wamid == asked.wamid
        with schema_context("utrecht"):
            assert OutboxItem.objects.get().request["context"] == {"message_id": asked.wamid}

    def test_choices_are_buttons_or_a_list_and_never_both(self, agent, thread, clock):
        address = f"/threads/{thread.id}/reply/"
        agent.post(address, {**answer_of("Schikt het?"), "button": ["Ja", "", "Nee"]})
        assert [each["reply"]["title"] for each in sent().content["action"]["buttons"]] == ["Ja", "Nee"]
        clock.move(seconds=1)
        rows = "Paspoort | aanvragen of ophalen\r\n\r\nRijbewijs"
        form = {**answer_of("Waarover gaat het?"), "list_button": "Kies", "list_rows": rows}
        agent.post(address, form)
        (section,) = sent().content["action"]["sections"]
        assert [(row["title"], row.get("description")) for row in section["rows"]] == [
            ("Paspoort", "aanvragen of ophalen"),
            ("Rijbewijs", None),
        ]
        for wrong in ({"button": ["Ja"]}, {"list_rows": ""}, {"text": ""}):
            refused = agent.post(address, {**form, **answer_of("Wat?"), **wrong})
            assert refused.status_code == 422
            assert "Kies" in refused.content.decode()  # nothing that was filled in is lost
        with schema_context("utrecht"):
            assert Message.objects.filter(direction="OUTBOUND").count() == 2

    def test_a_file_goes_with_its_text_and_what_whatsapp_refuses_is_said(self, agent, thread, whatsapp):
        picture = io.BytesIO()
        Image.new("RGB", (8, 8), "red").save(picture, "PNG")
        address, form = f"/threads/{thread.id}/reply/", answer_of("De *kaart*")
        for _ in range(2):
            file = SimpleUploadedFile("kaart.png", picture.getvalue(), content_type="image/png")
            assert agent.post(address, {**form, "file": file}).status_code == 302
        message = sent()
        with schema_context("utrecht"):
            known = MetaUpload.objects.get().meta_id
            assert (message.kind, message.content) == ("image", {"id": known, "caption": "De *kaart*"})
            assert Medium.objects.count() == 1  # a form that is sent twice stores and sends once
            assert Message.objects.filter(direction="OUTBOUND").count() == 1
        for name, content, said in (
            ("leeg.png", b"", "Dit bestand is leeg"),
            ("stem.ogg", OGG, "kan geen onderschrift"),
            ("x.html", b"<!DOCTYPE html><script>1</script>", "Dit bestand"),
            ("kaart.pdf", b"MZ\x90\x00" + b"\x00" * 200, "Dit bestand"),
        ):
            kind = "audio/ogg" if content == OGG else "application/pdf"
            file = SimpleUploadedFile(name, content, content_type=kind)
            refused = agent.post(address, {**answer_of("Zie de bijlage"), "file": file})
            assert (refused.status_code, said in refused.content.decode()) == (422, True), name
        file = SimpleUploadedFile("kaart.png", picture.getvalue(), content_type="image/png")
        both = agent.post(address, {**answer_of("Zie"), "file": file, "button": ["Ja"]})
        assert "niet allebei" in both.content.decode()
