"""Files that we send: checked before anything else sees them, and made known to Meta when they are to be sent."""

import io
from datetime import timedelta

import pytest
from django_tenants.utils import schema_context

from audit.models import Entry
from messaging.media import blobs, uploading
from messaging.media.uploading import UnfitUpload
from messaging.models import Blob, Medium, MetaUpload
from tests.messaging import meta_sandbox
from tests.messaging.media_files import HTML, OFFICE, OGG, PDF, TYPES, boxes, moving_sticker, office, picture
from whatsapp.client import MetaRefused, MetaUnreachable

NUMBER, DELFT = "1000000000344", "1000000000503"


@pytest.fixture(scope="module")
def process():
    with meta_sandbox.running() as made:
        yield made


@pytest.fixture
def whatsapp(process, settings, utrecht, delft, clock):
    process.control("reset", {})
    process.set_time(clock.now())
    process.knows(utrecht)
    process.knows(delft)
    settings.META_GRAPH_URL = process.url
    return process


@pytest.fixture
def upload(here, agent, clock):
    def upload(content: bytes, filename: str = "bestand", declared_type: str = "", **more) -> Medium:
        return uploading.store_upload(
            content=io.BytesIO(content),
            filename=filename,
            declared_type=declared_type,
            actor=agent,
            at=clock.now(),
            **more,
        )

    return upload


@pytest.mark.parametrize(
    ("content", "declared", "kind", "found"),
    [
        (picture(), "image/jpeg", "image", "image/jpeg"),
        (picture("PNG"), "", "image", "image/png"),
        (TYPES["webp"][0], "image/webp", "sticker", "image/webp"),
        (OGG, "audio/ogg", "audio", "audio/ogg"),
        (boxes(b"isom"), "video/mp4", "video", "video/mp4"),
        (PDF, "application/pdf", "document", "application/pdf"),
        (office(), OFFICE + "wordprocessingml.document", "document", OFFICE + "wordprocessingml.document"),
        (b"Openingstijden", "text/plain", "document", "text/plain"),
    ],
)
def test_a_file_is_stored_as_what_it_is(upload, content, declared, kind, found):
    medium = upload(content, declared_type=declared)
    stored = Medium.objects.get(id=medium.id)
    assert (stored.state, stored.kind, stored.content_type) == ("STORED", kind, found)
    assert (stored.size_bytes, stored.thumbnail_width is not None) == (len(content), kind in {"image", "sticker"})
    with blobs.read(medium=stored, part=Blob.Part.ORIGINAL) as file:
        assert file.readall() == content
    entry = Entry.objects.get(action="media.upload")
    assert entry.details == {"kind": kind, "bytes": len(content)}


@pytest.mark.parametrize(
    ("content", "filename", "kind", "code"),
    [
        (b"", "leeg.pdf", None, "media_empty"),
        (HTML, "brief.pdf", None, "media_dangerous"),
        (HTML, "foto.jpg", "image", "media_dangerous"),
        (office("word", "word/vbaProject.bin"), "brief.docx", None, "media_dangerous"),
        (PDF, "brief.exe", None, "media_dangerous"),
        (TYPES["gif"][0], "plaatje.gif", None, "media_type_not_allowed"),
        (TYPES["zip"][0], "alles.zip", None, "media_type_not_allowed"),
        (PDF, "brief.pdf", "image", "media_type_not_allowed"),
        (picture()[:200], "foto.jpg", None, "media_type_differs"),
        (picture() + b"\0" * 5 * 1024 * 1024, "foto.jpg", None, "media_too_large"),
        (boxes(b"isom") + b"\0" * 16 * 1024 * 1024, "film.mp4", None, "media_too_large"),
    ],
)
def test_what_whatsapp_would_not_take_is_refused_and_not_kept(upload, content, filename, kind, code):
    with pytest.raises(UnfitUpload) as refused:
        upload(content, filename, kind=kind)
    assert refused.value.code == code
    assert not Medium.objects.exists()
    assert not Blob.objects.exists()


def test_a_picture_that_says_it_is_a_document_is_refused(upload):
    with pytest.raises(UnfitUpload) as refused:
        upload(office("xl"), "b.pdf", declared_type="application/pdf")
    assert refused.value.code == "media_type_differs"


def test_a_sticker_that_moves_may_be_larger(upload):
    padding = b"\0" * 150 * 1024
    assert upload(moving_sticker() + padding, kind="sticker").kind == "sticker"
    with pytest.raises(UnfitUpload) as refused:
        upload(TYPES["webp"][0] + padding, kind="sticker")
    assert (refused.value.code, refused.value.limit) == ("media_too_large", 100 * 1024)


def test_meta_gets_it_once_a_number_and_again_before_it_forgets(whatsapp, upload, utrecht, clock):
    medium = upload(PDF)

    def known() -> str:
        return uploading.ensure_uploaded(medium=medium, phone_number_id=NUMBER, at=clock.now())

    first = known()
    at_meta = whatsapp.sandbox.world.media[first]
    assert (at_meta.content, at_meta.mime_type) == (PDF, "application/pdf")
    assert known() == first
    whatsapp.set_time(clock.move(days=27))
    assert known() == first
    whatsapp.set_time(clock.move(days=2))
    second = known()
    assert second != first
    assert MetaUpload.objects.get().meta_id == second
    assert (
        whatsapp.sandbox.world.media[second].expires_at > clock.now().timestamp() + timedelta(days=29).total_seconds()
    )


def test_another_municipalitys_number_gets_nothing_of_it(whatsapp, upload, clock):
    medium = upload(PDF)
    with pytest.raises(uploading.NumberCannotUpload):
        uploading.ensure_uploaded(medium=medium, phone_number_id=DELFT, at=clock.now())
    with schema_context("delft"), pytest.raises((Blob.DoesNotExist, uploading.NumberCannotUpload)):
        uploading.ensure_uploaded(medium=medium, phone_number_id=DELFT, at=clock.now())


def test_a_refusal_by_meta_is_told_and_nothing_is_noted(whatsapp, upload, utrecht, clock, settings):
    medium = upload(PDF)
    number = utrecht.numbers.get()
    number.set_access_token("EAAanother")
    number.save()
    with pytest.raises(MetaRefused):
        uploading.ensure_uploaded(medium=medium, phone_number_id=NUMBER, at=clock.now())
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    with pytest.raises(MetaUnreachable):
        uploading.ensure_uploaded(medium=medium, phone_number_id=NUMBER, at=clock.now())
    assert not MetaUpload.objects.exists()
