"""Media of citizens: fetched from the sandbox as from Meta, whatever goes wrong with that."""

import base64
import contextlib
import logging
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db.models.functions import Now
from django_tenants.utils import schema_context

from messaging.media import blobs, fetching, settling
from messaging.media.sealing import Unopenable
from messaging.models import Blob, Medium, Message
from tests.messaging import meta, meta_sandbox
from tests.messaging.media_files import HTML, PDF, picture

PART = Blob.Part.ORIGINAL
CANARY = "kanarie-in-de-kolenmijn"


@pytest.fixture(scope="module")
def process():
    with meta_sandbox.running() as made:
        yield made


@pytest.fixture
def whatsapp(process, settings, tmp_path, utrecht, delft, clock):
    """Return a sandbox that knows both municipalities; what they store lies in a folder of the test's."""
    process.control("reset", {})
    process.set_time(clock.now())
    process.knows(utrecht)
    process.knows(delft)
    settings.META_GRAPH_URL = process.url
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
    }
    return process


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "media"


def files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def receive(utrecht, *bodies) -> Medium:
    with schema_context(utrecht.schema_name):
        meta.receive(utrecht, *bodies)
        return Medium.objects.latest("created_at", "id")


def fetch(municipality, *, again: bool = True) -> None:
    """Have turns taken until nothing is left; what waits for another try is tried at once."""
    for _ in range(40):
        with schema_context(municipality.schema_name):
            if again:
                Medium.objects.filter(state="PENDING").update(due_at=Now() - timedelta(seconds=1))
        fetching.fetch_due(schema_name=municipality.schema_name)
        with schema_context(municipality.schema_name):
            if not again or not Medium.objects.filter(state="PENDING").exists():
                return
    raise AssertionError("it is never done")


def content_of(municipality, medium: Medium, part=PART) -> bytes:
    with schema_context(municipality.schema_name), blobs.read(medium=medium, part=part) as file:
        return file.readall()


def now(municipality, medium: Medium) -> Medium:
    with schema_context(municipality.schema_name):
        return Medium.objects.get(id=medium.id)


def test_a_picture_is_there_with_its_message_then_fetched_checked_and_stored(whatsapp, utrecht, clock, folder):
    content = picture(size=(1600, 900))
    medium = receive(utrecht, whatsapp.send(utrecht, content, at=clock.now(), caption="De tekening"))
    with schema_context("utrecht"):
        message = Message.objects.get()
    assert (message.text, message.medium_id, medium.state) == ("De tekening", medium.id, "PENDING")
    fetch(utrecht, again=False)
    stored = now(utrecht, medium)
    assert (stored.state, stored.content_type, stored.size_bytes) == ("STORED", "image/jpeg", len(content))
    assert (stored.reason, stored.caution, stored.thumbnail_width, stored.thumbnail_height) == ("", "", 640, 360)
    assert content_of(utrecht, medium) == content
    assert content_of(utrecht, medium, Blob.Part.THUMBNAIL)[8:12] == b"WEBP"
    lie = [path.read_bytes() for path in files(folder)]  # the picture and its thumbnail, neither readable
    assert len(lie) == 2
    assert not any(content[:64] in each or each[8:12] == b"WEBP" for each in lie)


def test_what_lies_in_the_storage_says_nothing(whatsapp, utrecht, clock, folder):
    body = whatsapp.send(
        utrecht, CANARY.encode(), kind="document", at=clock.now(), filename=f"{CANARY}.txt", mime_type="text/plain"
    )
    medium = receive(utrecht, body)
    fetch(utrecht)
    (path,) = files(folder)
    assert path.relative_to(folder).parts[0] == "utrecht"
    assert CANARY not in str(path)
    assert CANARY.encode() not in path.read_bytes()
    assert content_of(utrecht, medium) == CANARY.encode()


def test_one_municipalitys_files_do_not_open_for_another(whatsapp, utrecht, delft, clock):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    fetch(utrecht)
    with schema_context("utrecht"):
        name = Blob.objects.get(medium=medium, part=PART).name
    with schema_context("delft"):
        theirs = blobs.sealing(medium_id=medium.id, part=PART)
        with blobs.storage().open(name, "rb") as file, pytest.raises(Unopenable):
            theirs.opener(file).read()
        assert not Medium.objects.exists()


def test_a_file_comes_once_however_often_its_webhook_does(whatsapp, utrecht, clock, folder):
    body = whatsapp.send(utrecht, PDF, kind="document", at=clock.now())
    receive(utrecht, body, body)
    fetch(utrecht)
    with schema_context("utrecht"):
        meta.replay("utrecht")
        assert Medium.objects.count() == 1
    fetch(utrecht)
    assert len(files(folder)) == 1


@pytest.mark.parametrize("form", ["hex", "base64"])
def test_the_digest_may_be_written_either_way(whatsapp, utrecht, clock, form):
    body = whatsapp.send(utrecht, PDF, kind="document", at=clock.now())
    shown = body["entry"][0]["changes"][0]["value"]["messages"][0]["document"]
    if form == "base64":
        shown["sha256"] = base64.b64encode(bytes.fromhex(shown["sha256"])).decode()
    medium = receive(utrecht, body)
    fetch(utrecht, again=False)
    assert now(utrecht, medium).state == "STORED"


def test_what_is_not_what_meta_announced_is_not_kept(whatsapp, utrecht, clock, folder):
    body = whatsapp.send(utrecht, PDF, kind="document", at=clock.now(), alter={"sha256": "ab" * 32})
    medium = receive(utrecht, body)
    fetch(utrecht)
    given_up = now(utrecht, medium)
    assert (given_up.state, given_up.reason) == ("FAILED", "DIGEST_DIFFERS")
    assert files(folder) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "not_found", "count": 2},
        {"kind": "html_500", "count": 2},
        {"kind": "cut", "count": 2},
        {"kind": "altered", "count": 2},
        {"kind": "error", "code": 190, "count": 1},
        {"kind": "error", "code": 131016, "count": 1},
        {"kind": "error", "code": 80007, "count": 1},
        {"kind": "error", "code": 100, "count": 2},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('code', '')}",
)
def test_what_goes_wrong_for_a_while_is_tried_again(whatsapp, utrecht, clock, fault):
    whatsapp.sandbox.world.switches.media_url_in_webhook = fault["kind"] != "error"
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    whatsapp.fails(fault)
    fetch(utrecht, again=False)
    waiting = now(utrecht, medium)
    assert (waiting.state, waiting.claimed_until) == ("PENDING", None)
    assert waiting.reason != ""
    fetch(utrecht)
    assert now(utrecht, medium).state == "STORED"


def test_the_first_url_that_is_too_old_costs_no_attempt(whatsapp, utrecht, clock):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    whatsapp.fails({"kind": "not_found", "count": 1})
    fetch(utrecht, again=False)
    stored = now(utrecht, medium)
    assert (stored.state, stored.attempts) == ("STORED", 1)


def test_a_url_lives_five_minutes_and_another_is_asked_for(whatsapp, utrecht, clock):
    whatsapp.sandbox.world.switches.media_url_in_webhook = False
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    whatsapp.fails({"kind": "not_found", "count": 1})  # as after five minutes
    fetch(utrecht, again=False)
    whatsapp.set_time(clock.move(minutes=6))
    fetch(utrecht)
    assert now(utrecht, medium).state == "STORED"


def test_after_seven_days_it_says_that_it_is_gone(whatsapp, utrecht, clock):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    whatsapp.set_time(clock.move(days=7))
    fetch(utrecht)
    gone = now(utrecht, medium)
    assert (gone.state, gone.reason) == ("EXPIRED", "KEPT_NO_LONGER")


def test_what_never_works_is_given_up_with_its_reason(whatsapp, utrecht, clock):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    whatsapp.fails({"kind": "html_500", "count": 100})
    fetch(utrecht)
    given_up = now(utrecht, medium)
    assert (given_up.state, given_up.reason) == ("FAILED", "SERVER_ERROR")
    assert given_up.attempts == len(settling.BACK_OFF_SECONDS) + 1


def test_what_meta_does_not_know_is_given_up_soon(whatsapp, utrecht, clock):
    body = whatsapp.send(utrecht, picture(), at=clock.now(), alter={"id": "123", "url": None})
    medium = receive(utrecht, body)
    fetch(utrecht)
    given_up = now(utrecht, medium)
    assert (given_up.state, given_up.reason, given_up.attempts) == ("FAILED", "REFUSED", 3)


def test_a_number_without_a_token_waits_for_one(whatsapp, utrecht, clock):
    number = utrecht.numbers.get()
    token = number.access_token()
    number.access_token_encrypted = None
    number.save()
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    fetch(utrecht, again=False)
    assert now(utrecht, medium).reason == "NO_TOKEN"
    number.set_access_token(token)
    number.save()
    fetch(utrecht)
    assert now(utrecht, medium).state == "STORED"


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x", "file:///etc/passwd"],
)
def test_a_url_of_another_host_is_never_followed(whatsapp, utrecht, clock, url):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now(), alter={"url": url}))
    fetch(utrecht, again=False)  # asks Meta for another one
    assert now(utrecht, medium).state == "STORED"


def test_a_redirect_is_never_followed(whatsapp, utrecht, clock):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    whatsapp.fails({"kind": "redirect", "to": "http://127.0.0.1:1/x", "count": 100})
    fetch(utrecht)
    given_up = now(utrecht, medium)
    assert (given_up.state, given_up.reason) == ("FAILED", "UNEXPECTED_STATUS")


def test_more_than_a_hundred_megabytes_is_refused_while_it_comes(whatsapp, utrecht, clock, folder):
    medium = receive(utrecht, whatsapp.send(utrecht, PDF, kind="document", at=clock.now()))
    whatsapp.fails({"kind": "endless"})
    fetch(utrecht, again=False)
    rejected = now(utrecht, medium)
    assert (rejected.state, rejected.reason) == ("REJECTED", "TOO_LARGE")
    assert files(folder) == []


def test_one_byte_at_a_time_is_not_waited_for(whatsapp, utrecht, clock, monkeypatch):
    monkeypatch.setattr("whatsapp.transport.PATIENT_SECONDS", 0.2)
    first = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now(), wamid="wamid.SLOW"))
    whatsapp.fails({"kind": "slow", "seconds": 0.05, "count": 2})
    begun = time.monotonic()
    fetch(utrecht, again=False)
    assert time.monotonic() - begun < 5
    assert now(utrecht, first).reason == "TOO_SLOW"


def test_a_slow_one_holds_up_no_other(whatsapp, utrecht, clock, monkeypatch):
    monkeypatch.setattr("whatsapp.transport.PATIENT_SECONDS", 1.0)
    bodies = [whatsapp.send(utrecht, picture(), at=clock.now(), wamid=f"wamid.{n}") for n in range(4)]
    receive(utrecht, *bodies)
    whatsapp.fails({"kind": "slow", "seconds": 0.05, "count": 2})
    settled: list[float] = []
    begun = time.monotonic()
    store = settling.store
    monkeypatch.setattr(settling, "store", lambda **given: (settled.append(time.monotonic() - begun), store(**given)))
    fetch(utrecht, again=False)
    assert len(settled) >= 2
    assert settled[0] < 1.0  # while the slow ones were still under way


def test_a_page_that_calls_itself_a_picture_is_kept_and_never_shown(whatsapp, utrecht, clock):
    medium = receive(utrecht, whatsapp.send(utrecht, HTML, at=clock.now()))
    fetch(utrecht)
    stored = now(utrecht, medium)
    assert (stored.state, stored.content_type, stored.caution) == ("STORED", "text/html", "DANGEROUS")
    assert stored.thumbnail_width is None
    assert content_of(utrecht, medium) == HTML


def test_a_broken_picture_is_kept_and_never_shown(whatsapp, utrecht, clock):
    medium = receive(utrecht, whatsapp.send(utrecht, picture()[:150], at=clock.now()))
    fetch(utrecht)
    stored = now(utrecht, medium)
    assert (stored.state, stored.caution, stored.thumbnail_width) == ("STORED", "TYPE_DIFFERS", None)


def test_a_storage_that_is_away_is_waited_for(whatsapp, utrecht, clock, monkeypatch, folder):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))

    def away(*_, **__):
        raise ConnectionError(CANARY)

    with monkeypatch.context() as patch:
        patch.setattr("django.core.files.storage.FileSystemStorage.save", away)
        fetch(utrecht, again=False)
    waiting = now(utrecht, medium)
    assert (waiting.state, waiting.reason) == ("PENDING", "STORAGE")
    fetch(utrecht)
    assert now(utrecht, medium).state == "STORED"
    with schema_context("utrecht"):
        assert Blob.objects.filter(state="WRITING").count() == 1
        Blob.objects.filter(state="WRITING").update(changed_at=Now() - timedelta(hours=2))
        assert blobs.sweep() == 1
        assert set(Blob.objects.values_list("state", flat=True)) == {"KEPT"}


def test_a_key_that_is_away_is_waited_for(whatsapp, utrecht, clock, settings):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    keys = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)
    fetch(utrecht, again=False)
    waiting = now(utrecht, medium)
    assert (waiting.state, waiting.reason, waiting.claimed_until) == ("PENDING", "NO_KEY", None)
    settings.FIELD_ENCRYPTION_KEYS = keys
    fetch(utrecht)
    assert now(utrecht, medium).state == "STORED"


def test_an_object_whose_transaction_was_rolled_back_is_swept(whatsapp, utrecht, clock, monkeypatch, folder):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))

    def broken(**_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(blobs, "keep", broken)
        with pytest.raises(KeyboardInterrupt):
            fetch(utrecht, again=False)
    assert len(files(folder)) == 2
    with schema_context("utrecht"):
        assert blobs.sweep() == 0  # it may still be in the writing
        Blob.objects.update(changed_at=Now() - timedelta(hours=2))
        assert blobs.sweep() == 2
    assert files(folder) == []
    with schema_context("utrecht"):
        Medium.objects.update(claimed_until=Now() - timedelta(seconds=1))
    fetch(utrecht)
    assert now(utrecht, medium).state == "STORED"


def test_a_worker_that_was_thought_dead_writes_nothing(whatsapp, utrecht, clock, monkeypatch, folder):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    write = blobs.write_thumbnail

    def overtaken(**given):
        Medium.objects.update(claim=99)  # another worker took it over
        return write(**given)

    monkeypatch.setattr(blobs, "write_thumbnail", overtaken)
    fetch(utrecht, again=False)
    assert now(utrecht, medium).state == "PENDING"
    with schema_context("utrecht"):
        assert set(Blob.objects.values_list("state", flat=True)) == {"DISCARDED"}
        blobs.sweep()
    assert files(folder) == []


def test_one_that_may_have_killed_its_worker_goes_alone_and_not_for_ever(whatsapp, utrecht, clock, monkeypatch):
    bodies = [whatsapp.send(utrecht, picture(), at=clock.now(), wamid=f"wamid.{n}") for n in range(3)]
    receive(utrecht, *bodies)
    turns: list[int] = []

    def dies(municipality, media):
        turns.append(len(media))
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "_fetch", dies)
        for _ in range(100):
            with contextlib.suppress(SystemExit):
                fetching.fetch_due(schema_name="utrecht")
            with schema_context("utrecht"):
                past = Now() - timedelta(seconds=1)
                Medium.objects.filter(claimed_until__isnull=False).update(claimed_until=past, due_at=past)
                if not Medium.objects.filter(state="PENDING").exists():
                    break
    assert turns[0] == 3
    assert set(turns[1:]) == {1}
    assert len(turns) == 1 + 3 * len(settling.BACK_OFF_SECONDS)
    with schema_context("utrecht"):
        assert Medium.objects.filter(state="FAILED", reason="CUT_OFF").count() == 3


def test_after_a_death_the_others_come_first(whatsapp, utrecht, clock, monkeypatch):
    first = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now(), wamid="wamid.1"))
    with schema_context("utrecht"):
        assert [each.id for each in fetching._claim(utrecht)] == [first.id]  # and dies
        Medium.objects.update(claimed_until=Now() - timedelta(seconds=1))
    other = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.move(seconds=1), wamid="wamid.2"))
    fetch(utrecht, again=False)
    assert now(utrecht, other).state == "STORED"
    assert now(utrecht, first).state == "PENDING"


def test_one_turn_at_a_time_works_on_a_municipality(whatsapp, utrecht, clock):
    medium = receive(utrecht, whatsapp.send(utrecht, picture(), at=clock.now()))
    with schema_context("utrecht"):
        assert len(fetching._claim(utrecht)) == 1
        assert fetching._claim(utrecht) == []
        assert not fetching.has_due()
    assert fetching.fetch_due(schema_name="utrecht") is False
    assert now(utrecht, medium).attempts == 1


def test_a_flood_gives_its_worker_back_after_a_few(whatsapp, utrecht, delft, clock):
    receive(utrecht, *(whatsapp.send(utrecht, picture(), at=clock.now(), wamid=f"wamid.{n}") for n in range(20)))
    theirs = receive(delft, whatsapp.send(delft, picture(), at=clock.now(), wamid="wamid.DELFT"))
    assert fetching.fetch_due(schema_name="utrecht") is True
    with schema_context("utrecht"):
        assert Medium.objects.filter(state="STORED").count() == fetching.AT_ONCE
    assert fetching.fetch_due(schema_name="delft") is False
    assert now(delft, theirs).state == "STORED"
    fetch(utrecht)
    with schema_context("utrecht"):
        assert Medium.objects.filter(state="STORED").count() == 20


def test_a_medium_without_an_id_is_a_message_without_a_medium(whatsapp, utrecht, clock):
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now(), type="image", image={}))
        assert Message.objects.get().medium is None


def test_an_id_that_is_none_fails_alone(whatsapp, utrecht, clock):
    medium = receive(utrecht, meta.message(utrecht, at=clock.now(), type="image", image={"id": "x" * 500}))
    assert (medium.state, medium.reason) == ("FAILED", "BAD_REFERENCE")


def test_no_log_names_a_file_or_what_is_in_it(whatsapp, utrecht, clock, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    body = whatsapp.send(
        utrecht, CANARY.encode(), kind="document", at=clock.now(), filename=f"{CANARY}.pdf", caption=CANARY
    )
    receive(utrecht, body)
    whatsapp.fails({"kind": "html_500", "count": 2})
    fetch(utrecht)
    said = caplog.text + "".join(capsys.readouterr())
    assert CANARY not in said
    assert "fbsbx" not in said
    assert "/_media/" not in said
