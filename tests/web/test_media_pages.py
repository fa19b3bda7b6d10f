"""Files in a thread: shown or saved by who may see it, never run, and asked for again when they did not come."""

import logging
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django_tenants.utils import schema_context

from audit.models import Entry
from messaging.models import Blob, Medium
from tests.messaging import stored_media
from tests.messaging.media_files import HTML, OGG, PDF, SVG, boxes, office, picture

CANARY = "kanarie-in-de-kolenmijn"


@pytest.fixture
def agent(people):
    return people("utrecht", "AGENT")


@pytest.fixture
def put(thread, clock):
    def put(content=None, **more) -> Medium:
        with schema_context("utrecht"):
            return stored_media.store(thread=thread, content=content or picture(), at=clock.now(), **more)

    return put


@pytest.fixture
def awaited(thread, clock):
    """Return what puts a medium that is not there into the thread."""

    def put(state: str, reason: str = "", **more) -> Medium:
        with schema_context("utrecht"):
            values = {
                "kind": "image",
                "created_at": clock.now(),
                "meta_id": "77",
                "phone_number_id": thread.phone_number_id,
                "expires_at": clock.now() + timedelta(days=7),
                **more,
            }
            due = {"due_at": Now() + timedelta(hours=1)} if state == "PENDING" else {}
            medium = Medium.objects.create(state=state, reason=reason, **due, **values)
            stored_media.show(thread=thread, medium=medium, at=clock.now())
            return medium

    return put


def path(thread, medium, rest: str = "") -> str:
    return f"/threads/{thread.id}/media/{medium.id}/{rest}"


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def reads() -> int:
    with schema_context("utrecht"):
        return Entry.objects.filter(action="media.read").count()


def page_of(agent, thread) -> str:
    return agent.get(f"/threads/{thread.id}/").content.decode()


def test_a_picture_is_shown_small_and_opens_in_full(agent, thread, put):
    content = picture(size=(900, 600))
    medium = put(content)
    page = page_of(agent, thread)
    assert f'src="{path(thread, medium, "thumbnail/")}" width="640" height="427"' in page
    assert f'href="{path(thread, medium)}"' in page
    small = agent.get(path(thread, medium, "thumbnail/"))
    assert small.headers["Content-Type"] == "image/webp"
    assert body(small)[8:12] == b"WEBP"
    full = agent.get(path(thread, medium))
    assert full.headers["Content-Type"] == "image/jpeg"
    assert full.headers["Content-Disposition"].startswith("inline")
    assert body(full) == content


def test_each_file_is_noted_in_the_trail_as_it_is_read(agent, thread, put):
    medium = put()
    page_of(agent, thread)
    body(agent.get(path(thread, medium, "thumbnail/")))
    agent.head(path(thread, medium))
    assert reads() == 0
    body(agent.get(path(thread, medium)))
    assert reads() == 1
    with schema_context("utrecht"):
        entry = Entry.objects.get(action="media.read")
        assert entry.subject == f"medium {medium.id}"
        assert entry.actor_name.startswith("Agent")


@pytest.mark.parametrize(
    ("content", "kind", "filename"),
    [
        (HTML, "image", ""),
        (HTML, "document", "brief.pdf"),
        (SVG, "document", "logo.svg"),
        (office("word", "word/vbaProject.bin"), "document", "brief.docm"),
        (b"MZ" + b"\0" * 80, "document", "gratis.exe"),
        (PDF, "document", "brief.pdf"),
        (b"tekst", "document", "brief.txt"),
        (picture("GIF"), "document", "plaatje.gif"),
    ],
)
def test_what_could_run_is_only_ever_saved(agent, thread, put, content, kind, filename):
    medium = put(content, kind=kind, filename=filename)
    answer = agent.get(path(thread, medium))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert body(answer) == content
    assert "<img" not in page_of(agent, thread)


def test_what_is_dangerous_says_so(agent, thread, put):
    put(HTML, kind="document", filename="brief.pdf")
    page = page_of(agent, thread)
    assert "Pas op: dit bestand kan een computer schaden" in page
    assert "Webpagina" in page


@pytest.mark.parametrize(
    ("filename", "saved"),
    [
        ("Brief van Piet.pdf", 'filename="Brief van Piet.pdf"'),
        ("Bezwaar één.pdf", "filename*=utf-8''Bezwaar%20%C3%A9%C3%A9n.pdf"),
        ("../../etc/passwd", 'filename="etc passwd"'),
        ("factuur\u202efdp.exe", 'filename="factuurfdp.exe"'),
        ('a"; filename="b.html\r\nX-Evil: 1', 'filename="a ; filename= b.htmlX-Evil  1"'),
        ("", 'filename="whatsapp-document-'),
    ],
)
def test_a_name_cannot_deceive(agent, thread, put, filename, saved):
    medium = put(PDF, kind="document", filename=filename)
    answer = agent.get(path(thread, medium))
    assert saved in answer.headers["Content-Disposition"]
    assert "X-Evil" not in answer.headers


def test_sound_and_video_have_players(agent, thread, put):
    sound, video = put(OGG, kind="audio", is_voice=True), put(boxes(b"isom"), kind="video")
    page = page_of(agent, thread)
    assert f'<audio class="medium__player" controls preload="none" src="{path(thread, sound)}"' in page
    assert f'<video class="medium__player" controls preload="none" src="{path(thread, video)}"' in page


def test_a_player_may_ask_for_a_part(agent, thread, put):
    content = boxes(b"isom") + bytes(range(256)) * 600
    medium = put(content, kind="video")
    whole = agent.get(path(thread, medium), headers={"Range": "bytes=0-"})
    assert (whole.status_code, body(whole)) == (206, content)
    part = agent.get(path(thread, medium), headers={"Range": "bytes=70000-70099"})
    assert part.headers["Content-Range"] == f"bytes 70000-70099/{len(content)}"
    assert part.headers["Content-Length"] == "100"
    assert body(part) == content[70000:70100]
    beyond = agent.get(path(thread, medium), headers={"Range": f"bytes={len(content)}-"})
    assert beyond.status_code == 416
    assert reads() == 1  # once for each time that it is played


def test_another_municipality_finds_nothing(people, thread, put):
    medium = put()
    for rest in ("", "thumbnail/"):
        assert people("delft", "AGENT").get(path(thread, medium, rest)).status_code == 404
    assert people("delft", "AGENT").post(path(thread, medium, "again/")).status_code == 404


@pytest.mark.parametrize("role", ["ADMIN", "PRIVACY_OFFICER"])
def test_who_may_not_see_threads_sees_no_files(people, thread, put, role):
    medium = put()
    for rest in ("", "thumbnail/"):
        assert people("utrecht", role).get(path(thread, medium, rest)).status_code == 403


def test_who_is_not_signed_in_sees_no_files(client, thread, put):
    medium = put()
    answer = client.get(path(thread, medium), headers={"host": "utrecht.localhost"})
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in/")


def test_a_file_is_found_in_its_own_thread_alone(agent, thread, put):
    medium = put()
    with schema_context("utrecht"):
        elsewhere = type(thread).objects.create(
            contact=thread.contact,
            phone_number_id="100000000000001",
            opened_at=thread.opened_at,
            last_message_at=thread.opened_at,
        )
    assert agent.get(path(elsewhere, medium)).status_code == 404


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("PENDING", "", "wordt opgehaald bij WhatsApp"),
        ("PENDING", "SERVER_ERROR", "kon nog niet worden opgehaald: WhatsApp was niet bereikbaar"),
        ("FAILED", "NO_TOKEN", "dit nummer is nu niet met WhatsApp verbonden"),
        ("FAILED", "BAD_REFERENCE", "WhatsApp zei niet welk bestand het was"),
        ("EXPIRED", "KEPT_NO_LONGER", "niet opgehaald in de zeven dagen"),
        ("REJECTED", "TOO_LARGE", "groter dan 100 MB"),
        ("ERASED", "", "Het bestand is gewist"),
    ],
)
def test_what_is_not_there_says_why(agent, thread, awaited, state, reason, said):
    medium = awaited(state, reason)
    page = page_of(agent, thread)
    assert said in page
    assert ("Opnieuw opvragen" in page) == (reason in {"SERVER_ERROR", "NO_TOKEN"})
    assert agent.get(path(thread, medium)).status_code == 404


def test_a_change_of_state_is_news_to_the_page(agent, thread, awaited):
    medium = awaited("PENDING")
    before = page_of(agent, thread)
    with schema_context("utrecht"):
        Medium.objects.filter(id=medium.id).update(state="FAILED", reason="REFUSED", due_at=None)
    after = page_of(agent, thread)
    assert before.split('data-version="')[1][:16] != after.split('data-version="')[1][:16]


def test_what_failed_is_asked_for_again_by_hand(agent, thread, awaited):
    medium = awaited("FAILED", "SERVER_ERROR", attempts=10)
    answer = agent.post(path(thread, medium, "again/"))
    assert answer.headers["Location"] == f"/threads/{thread.id}/#medium-{medium.id}"
    with schema_context("utrecht"):
        again = Medium.objects.get(id=medium.id)
        assert (again.state, again.attempts) == ("PENDING", 0)
        assert Medium.objects.filter(due_at__lte=Now()).exists()
        assert Entry.objects.filter(action="media.ask_again").count() == 1


def test_what_meta_keeps_no_longer_is_not_asked_for(agent, thread, awaited, clock):
    medium = awaited("FAILED", "SERVER_ERROR")
    clock.move(days=7)
    page = page_of(agent, thread)
    assert "Opnieuw opvragen" not in page
    assert "WhatsApp bewaart het niet meer" in page
    answer = agent.post(path(thread, medium, "again/"), follow=True)
    assert "kan niet opnieuw worden opgevraagd" in answer.content.decode()
    with schema_context("utrecht"):
        assert Medium.objects.get(id=medium.id).state == "FAILED"


def test_who_may_only_look_does_not_ask(people, thread, awaited):
    medium = awaited("FAILED", "SERVER_ERROR")
    assert people("utrecht", "ADMIN").post(path(thread, medium, "again/")).status_code == 403


def test_a_storage_that_is_away_says_so_and_no_more(agent, thread, put, monkeypatch, caplog):
    medium = put()

    def away(*_, **__):
        raise ConnectionError(CANARY)

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage.open", away)
    caplog.set_level(logging.DEBUG)
    answer = agent.get(path(thread, medium))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert CANARY not in caplog.text + answer.content.decode()


def test_an_object_that_was_altered_is_not_shown(agent, thread, put, settings):
    medium = put()
    with schema_context("utrecht"):
        name = Blob.objects.get(medium=medium, part="ORIGINAL").name
    from messaging.media.blobs import storage

    with open(storage().path(name), "r+b") as file:  # noqa: PTH123
        file.seek(60)
        file.write(b"xxxx")
    answer = agent.get(path(thread, medium))
    with pytest.raises(Exception, match="does not open"):
        body(answer)


def test_an_erased_file_is_gone_everywhere(agent, thread, put, clock, django_capture_on_commit_callbacks):
    from audit.record import Actor
    from messaging.media import showing
    from messaging.media.blobs import storage

    medium = put(PDF, kind="document", filename=f"{CANARY}.pdf")
    with schema_context("utrecht"):
        name = Blob.objects.get(medium=medium).name
        assert storage().exists(name)
        with django_capture_on_commit_callbacks(execute=True):
            showing.erase(medium_id=medium.id, actor=Actor.system("tests"), at=clock.now())
            showing.erase(medium_id=medium.id, actor=Actor.system("tests"), at=clock.now())
        assert not storage().exists(name)
        assert not Blob.objects.exists()
        assert CANARY not in str(Medium.objects.values().get(id=medium.id))
    assert agent.get(path(thread, medium)).status_code == 404
    assert "Het bestand is gewist" in page_of(agent, thread)
    assert CANARY not in page_of(agent, thread)
