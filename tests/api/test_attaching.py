"""A stored medium sent by machine: uploaded to Meta once for the number, sent by its id, seen with its message."""

import io
import uuid

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.media import uploading
from messaging.models import Medium, Message, MetaUpload
from tests.api.test_messages import queued
from tests.messaging import meta_sandbox
from tests.messaging.media_files import PDF, picture


@pytest.fixture(scope="module")
def process():
    with meta_sandbox.running() as made:
        yield made


@pytest.fixture
def whatsapp(process, settings, utrecht, clock):
    """Return the sandbox, which knows Utrecht."""
    process.control("reset", {})
    process.set_time(clock.now())
    process.knows(utrecht)
    settings.META_GRAPH_URL = process.url
    return process


@pytest.fixture
def stored(utrecht, clock):
    """Return a function that stores a file."""

    def store(content: bytes, filename: str) -> Medium:
        with schema_context("utrecht"):
            return uploading.store_upload(
                content=io.BytesIO(content),
                filename=filename,
                declared_type="",
                actor=Actor.system("tests"),
                at=clock.now(),
            )

    return store


@pytest.fixture
def send(api, thread):
    def post(**content):
        return api.post("/messages", {"threadId": str(thread.id), "content": content})

    return post


def test_it_is_uploaded_once_and_sent_by_metas_id(whatsapp, stored, send):
    medium = stored(PDF, "besluit.pdf")
    answers = [send(kind="document", mediumId=str(medium.id), caption="Uw besluit") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    with schema_context("utrecht"):
        known = MetaUpload.objects.get()
        assert set(Message.objects.filter(direction="OUTBOUND").values_list("medium", flat=True)) == {medium.id}
    assert whatsapp.sandbox.world.media[known.meta_id].content == PDF
    expected = {"id": known.meta_id, "caption": "Uw besluit", "filename": "besluit.pdf"}
    assert [item.request["document"] for item in queued()] == [expected, expected]
    assert answers[0].json()["medium"]["id"] == str(medium.id)


def test_what_meta_refuses_or_leaves_unanswered_is_said_and_not_queued(whatsapp, stored, send, settings):
    medium = stored(picture(), "foto.jpg")
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    answer = send(kind="image", mediumId=str(medium.id))
    assert (answer.status_code, answer.json()["code"]) == (503, "meta_unreachable")
    assert queued() == []


def test_it_must_be_of_the_kind(whatsapp, stored, send):
    medium = stored(picture(), "foto.jpg")
    answer = send(kind="document", mediumId=str(medium.id))
    assert (answer.status_code, answer.json()["code"]) == (409, "medium_unfit")


def test_one_that_is_not_here_is_not_found(whatsapp, send):
    answer = send(kind="image", mediumId=str(uuid.uuid4()))
    assert (answer.status_code, answer.json()["code"]) == (404, "medium_not_found")


def test_one_that_was_not_fetched_yet_is_refused(whatsapp, stored, send):
    medium = stored(picture(), "foto.jpg")
    with schema_context("utrecht"):
        Medium.objects.filter(id=medium.id).update(state="ERASED")
    assert send(kind="image", mediumId=str(medium.id)).json()["code"] == "medium_not_stored"


def test_what_is_wrong_is_said_before_anything_is_uploaded(whatsapp, stored, send):
    medium = stored(picture(), "foto.jpg")
    both = send(kind="image", mediumId=str(medium.id), link="https://www.utrecht.nl/a.jpg")
    assert [error["code"] for error in both.json()["errors"]] == ["one_of"]
    assert send(kind="image").status_code == 400
    assert whatsapp.sandbox.world.media == {}
