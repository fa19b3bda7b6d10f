"""Files by machine: what is known of one, its bytes, and each download in the trail."""

import hashlib

import pytest
from django_tenants.utils import schema_context

from audit.models import Entry
from messaging.models import Medium
from tests.api.calling import Caller, make_key
from tests.messaging import meta, stored_media
from tests.messaging.media_files import HTML, PDF, picture


@pytest.fixture
def thread(utrecht, clock):
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        from messaging.models import Thread

        return Thread.objects.get()


@pytest.fixture
def caller(utrecht):
    return Caller(host="utrecht.localhost", key=make_key("utrecht"))


@pytest.fixture
def put(thread, clock):
    def put(content, **more) -> Medium:
        with schema_context("utrecht"):
            return stored_media.store(thread=thread, content=content, at=clock.move(seconds=1), **more)

    return put


def test_a_message_names_its_file(caller, thread, put):
    medium = put(PDF, kind="document", filename="Bezwaar.pdf")
    shown = caller.get(f"/threads/{thread.id}/messages").json()["items"]
    assert [each["medium"] for each in shown[:1]] == [None]
    assert shown[1]["medium"] == {
        "id": str(medium.id),
        "kind": "document",
        "state": "STORED",
        "reason": "",
        "fileName": "Bezwaar.pdf",
        "contentType": "application/pdf",
        "caution": "",
        "sizeBytes": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }
    assert caller.get(f"/media/{medium.id}").json() == shown[1]["medium"]


@pytest.mark.parametrize("accepted", ["*/*", "application/octet-stream", "application/json"])
def test_its_bytes_are_a_download(caller, put, accepted):
    content = picture()
    medium = put(content)
    answer = caller.get(f"/media/{medium.id}/content", Accept=accepted)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/octet-stream")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["API-Version"]
    assert b"".join(answer.streaming_content) == content
    with schema_context("utrecht"):
        entry = Entry.objects.get(action="media.read")
        assert (entry.subject, entry.actor_name) == (f"medium {medium.id}", "API: System")


def test_what_is_dangerous_is_said_and_given(caller, put):
    medium = put(HTML)
    assert caller.get(f"/media/{medium.id}").json()["caution"] == "DANGEROUS"
    assert b"".join(caller.get(f"/media/{medium.id}/content").streaming_content) == HTML


def test_what_is_not_there_is_a_conflict(caller, put):
    medium = put(PDF, kind="document")
    with schema_context("utrecht"):
        Medium.objects.update(state="EXPIRED", reason="KEPT_NO_LONGER")
    answer = caller.get(f"/media/{medium.id}/content")
    assert (answer.status_code, answer.json()["code"]) == (409, "medium_not_stored")


def test_a_storage_that_is_away_is_told(caller, put, monkeypatch):
    medium = put(PDF, kind="document")

    def away(*_, **__):
        raise ConnectionError

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage.open", away)
    answer = caller.get(f"/media/{medium.id}/content")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "storage_away", "60")


@pytest.mark.parametrize("rest", ["", "/content"])
def test_another_municipality_and_a_key_without_the_scope_get_nothing(delft, caller, put, rest):
    medium = put(PDF, kind="document")
    theirs = Caller(host="delft.localhost", key=make_key("delft"))
    assert theirs.get(f"/media/{medium.id}{rest}").status_code == 404
    weak = Caller(host="utrecht.localhost", key=make_key("utrecht", name="Weak", scopes=["templates:read"]))
    assert weak.get(f"/media/{medium.id}{rest}").status_code == 403
    assert Caller(host="utrecht.localhost").get(f"/media/{medium.id}{rest}").status_code == 401
    with schema_context("utrecht"):
        assert not Entry.objects.filter(action="media.read").exists()


def test_a_file_is_uploaded_and_read_back(caller):
    disposition = "attachment; filename*=UTF-8''Besluit%20%C3%A9%C3%A9n.pdf"
    sent = {"Content-Type": "application/pdf", "Content-Disposition": disposition}
    answer = caller.call("POST", "/media", raw=PDF, **sent)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1/media/{made['id']}"
    assert (made["state"], made["kind"], made["fileName"]) == ("STORED", "document", "Besluit één.pdf")
    assert b"".join(caller.get(f"/media/{made['id']}/content").streaming_content) == PDF


@pytest.mark.parametrize(
    ("content", "query", "status", "code"),
    [
        (b"", "", 409, "media_empty"),
        (HTML, "", 409, "media_dangerous"),
        (PDF, "?kind=image", 409, "media_type_not_allowed"),
        (picture()[:100], "", 409, "media_type_differs"),
        (picture() + bytes(6 * 1024 * 1024), "", 413, "media_too_large"),
        (PDF, "?kind=hologram", 400, "validation"),
    ],
)
def test_what_whatsapp_would_not_take_is_refused_with_its_reason(caller, content, query, status, code):
    answer = caller.call("POST", f"/media{query}", raw=content, **{"Content-Type": "application/octet-stream"})
    assert answer.status_code == status, answer.content
    assert status == 400 or answer.json()["code"] == code
    with schema_context("utrecht"):
        assert not Medium.objects.exists()


def test_a_key_that_may_only_read_uploads_nothing(utrecht):
    weak = Caller(host="utrecht.localhost", key=make_key("utrecht", scopes=["messages:read"]))
    assert weak.call("POST", "/media", raw=PDF).status_code == 403
