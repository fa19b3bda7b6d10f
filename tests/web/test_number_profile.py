"""The profile that citizens see of a number: read and changed at Meta, here the sandbox, over HTTP."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django_tenants.utils import schema_context
from PIL import Image

from audit.models import Entry
from config.celery import app
from tenants import health, number_reading
from tenants.models import Number, Trouble
from tests.messaging import meta_sandbox

GIVEN = {
    "about": "Gemeente Utrecht",
    "description": "Stel hier uw vraag.",
    "address": "Stadsplateau 1, Utrecht",
    "email": "info@utrecht.example",
    "website": "https://www.utrecht.example/",
}


@pytest.fixture(scope="module")
def running():
    with meta_sandbox.running() as made:
        yield made


@pytest.fixture
def sandbox(running, utrecht, settings):
    number = utrecht.numbers.get()
    number.set_access_token("token-of-utrecht")
    number.save()
    running.knows(utrecht)
    settings.META_GRAPH_URL = running.url
    return running


def outcomes(action: str = "number.profile") -> list[str]:
    with schema_context("utrecht"):
        return list(Entry.objects.filter(action=action).order_by("sequence").values_list("outcome", flat=True))


def test_it_is_read_changed_and_on_record_and_what_is_wrong_is_said(sandbox, utrecht, people, settings):
    number, admin = utrecht.numbers.get(), people("utrecht", "ADMIN")
    path = f"/numbers/{number.phone_number_id}/profile/"
    assert path in admin.get("/numbers/").content.decode()
    page = admin.post(path, GIVEN, follow=True).content.decode()
    assert all(value in page for value in GIVEN.values())
    kept = sandbox.sandbox.world.numbers[number.phone_number_id].profile
    assert (kept["about"], kept["websites"]) == ("Gemeente Utrecht", ["https://www.utrecht.example/"])
    assert outcomes() == ["OK"]
    for wrong in ({"about": ""}, {"about": "x" * 140}, {"email": "geen"}, {"website": "http://utrecht.example"}):
        answer = admin.post(path, {**GIVEN, **wrong})
        assert answer.status_code == 422, wrong
        assert f'id="wrong-{next(iter(wrong))}"' in answer.content.decode()
    assert outcomes() == ["OK"], "Meta was not asked"
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    away = admin.post(path, {**GIVEN, "about": "Anders"})
    assert away.status_code == 503
    assert 'value="Anders"' in away.content.decode(), "what was typed stays"
    assert outcomes() == ["OK", "OK", "FAILED"]
    assert admin.get(path).status_code == 503
    assert admin.get("/numbers/1/profile/").status_code == 404
    supervisor = people("utrecht", "SUPERVISOR")
    assert supervisor.get(path).status_code == 403
    assert path not in supervisor.get("/numbers/").content.decode()


def test_what_meta_says_of_it_is_asked_once_a_day_and_by_whoever_looks(sandbox, utrecht, people, clock, settings):
    number, admin = utrecht.numbers.get(), people("utrecht", "ADMIN")
    path, at_meta = f"/numbers/{number.phone_number_id}/read/", f"numbers/{number.phone_number_id}"
    health.tell(number=number, aspect="alert", values={"alert": "PROFILE_PICTURE_LOST"}, at=clock.now())
    health.tell(number=number, aspect="violation", values={"violation": "SPAM"}, at=clock.now())
    page = admin.get("/numbers/").content.decode()
    assert "De profielfoto is bij Meta weg." in page
    assert "Meta meldt dat haar regels zijn overtreden: <code>SPAM</code>" in page
    assert path in page
    assert app.conf.beat_schedule["read-numbers"]["schedule"] == number_reading.SWEEP_SECONDS
    sandbox.control(at_meta, {"quality_rating": "YELLOW"})
    sandbox.sandbox.world.numbers[number.phone_number_id].throughput = 1000
    Number.objects.exclude(id=number.id).delete()  # one is asked about at a time: half a day's worth is spread
    assert [number_reading.read_due(at=clock.now()) for _ in range(2)] == [1, 0]
    page = admin.get("/numbers/").content.decode()
    assert all(said in page for said in ("Matig", "nagevraagd op", "1000"))
    assert Number.objects.get(id=number.id).messages_per_second == 1000
    sandbox.control(at_meta, {"quality_rating": "RED"})
    clock.move(minutes=5)
    assert "Dit zegt Meta nu." in admin.post(path, follow=True).content.decode()
    quality = Trouble.objects.filter(number=number, kind="QUALITY")
    assert [each.closed_at for each in quality] == [None]
    sandbox.control(at_meta, {"quality_rating": "GREEN"})
    clock.move(minutes=5)
    assert "Goed" in admin.post(path, follow=True).content.decode()
    assert quality.get().closed_at == clock.now()
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    clock.move(minutes=5)
    away = admin.post(path, follow=True).content.decode()
    assert "Meta antwoordt nu niet" in away
    assert "Goed" in away, "what was known stays"
    assert number_reading.due(at=clock.now()) == []
    assert number_reading.due(at=clock.now() + timedelta(minutes=61)) == [number]
    assert outcomes("number.read") == ["OK", "OK", "FAILED"]
    assert people("utrecht", "SUPERVISOR").post(path).status_code == 403
    assert admin.post("/numbers/1/read/").status_code == 404


def picture(form: str, size: tuple[int, int]) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "navy").save(written, form)
    return written.getvalue()


def test_a_photo_is_checked_put_up_at_meta_and_shown_from_here(sandbox, utrecht, people, settings, monkeypatch):
    number, admin = utrecht.numbers.get(), people("utrecht", "ADMIN")
    path = f"/numbers/{number.phone_number_id}/photo/"
    monkeypatch.setattr(sandbox.sandbox.world.config, "app_id", settings.META_APP_ID)
    assert path in admin.get(f"/numbers/{number.phone_number_id}/profile/").content.decode()
    assert "nog geen foto" in admin.get(path).content.decode()
    assert admin.get(f"{path}image/").status_code == 404

    def give(content: bytes):
        return admin.post(path, {"photo": SimpleUploadedFile("logo.png", content)})

    for content, said in (
        (b"<svg onload=alert(1)>", "geen JPEG of PNG"),
        (picture("GIF", (300, 300)), "geen JPEG of PNG"),
        (picture("PNG", (300, 300))[:200], "geen JPEG of PNG"),
        (picture("PNG", (191, 300)), "te klein"),
        (b"\xff\xd8\xff" + bytes(5 * 1024 * 1024), "te groot"),
    ):
        answer = give(content)
        assert answer.status_code == 422, said
        assert said in answer.content.decode()
    assert "Kies een afbeelding" in admin.post(path, {}).content.decode()
    assert not sandbox.sandbox.world.uploads, "Meta was not asked"
    assert (
        "Het is opgeslagen bij Meta."
        in admin.post(
            path, {"photo": SimpleUploadedFile("logo.png", picture("PNG", (900, 700)))}, follow=True
        ).content.decode()
    )
    kept = sandbox.sandbox.world.numbers[number.phone_number_id].picture
    with Image.open(io.BytesIO(kept)) as opened:
        assert (opened.format, opened.size, len(opened.getexif())) == ("JPEG", (640, 640), 0)
    assert f"{path}image/" in admin.get(path).content.decode()
    shown = admin.get(f"{path}image/")
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/webp")
    sandbox.sandbox.world.numbers[number.phone_number_id].profile["profile_picture_url"] = "http://elders.example/x.jpg"
    assert admin.get(f"{path}image/").status_code == 503, "only from Meta's own hosts"
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    assert give(picture("JPEG", (640, 640))).status_code == 503
    assert outcomes("number.photo") == ["OK", "OK", "FAILED"]
    assert people("utrecht", "SUPERVISOR").get(path).status_code == 403
