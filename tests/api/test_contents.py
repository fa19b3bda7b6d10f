"""Every free-form kind by machine: what Meta gets of it, what people read of it, and what is refused where."""

import uuid
from datetime import timedelta

import pytest
from django_tenants.utils import schema_context

from messaging.models import Message, Thread
from tests.api.kinds import EXAMPLES, LINK
from tests.api.test_messages import TEMPLATE, queued
from tests.messaging import meta


@pytest.fixture
def send(api, thread):
    """Return a function that sends a content in the thread."""

    def post(content, **more):
        return api.post("/messages", {"threadId": str(thread.id), "content": content, **more})

    return post


@pytest.fixture
def asked(thread) -> Message:
    """Return what the citizen wrote."""
    with schema_context("utrecht"):
        return Message.objects.get()


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_queued_as_meta_takes_it(send, name):
    content, written = EXAMPLES[name]
    answer = send(content)
    assert answer.status_code == 201, answer.json()
    (item,) = queued()
    assert {key: item.request[key] for key in written} == written
    assert set(item.request) == {"messaging_product", "recipient_type", "to", "biz_opaque_callback_data", *written}
    assert answer.json()["kind"] == written["type"]


def test_every_kind_of_the_document_has_an_example(api):
    made = api.get("/openapi.json").json()["components"]["schemas"]["Content"]["discriminator"]["mapping"]
    assert set(made) == {content["kind"] for content, _ in EXAMPLES.values()} | {"reaction"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("image", "De plattegrond"),
        ("location", "Stadskantoor\nStadsplateau 1\n52.090700, 5.121400"),
        ("contacts", "Team Afval\nGemeente Utrecht\n+3114030\nafval@utrecht.example\nhttps://www.utrecht.nl/afval"),
        ("buttons", "Afspraak\nKomt u morgen?\nGemeente Utrecht\n▸ Ja\n▸ Nee"),
        (
            "list",
            "Loket\nWaarover gaat uw vraag?\nGemeente Utrecht\nWonen\n▸ Verhuizen: Binnen de stad\nStraat\n▸ Afval",
        ),
        ("urlButton", "Maak hier een afspraak.\n▸ Afspraak: https://www.utrecht.nl/a"),
    ],
)
def test_people_read_it_in_the_thread(send, name, text):
    assert send(EXAMPLES[name][0]).json()["text"] == text


def test_it_answers_a_message_of_the_thread(send, asked):
    send(EXAMPLES["buttons"][0], replyToMessageId=str(asked.id))
    assert queued()[0].request["context"] == {"message_id": asked.wamid}


def test_outside_the_window_the_template_goes_instead(send, approved, clock):
    clock.move(hours=25)
    assert send(EXAMPLES["list"][0], template=TEMPLATE).json()["kind"] == "template"
    assert send(EXAMPLES["list"][0]).json()["code"] == "window_closed"


BUTTONS = EXAMPLES["buttons"][0]
LIST = EXAMPLES["list"][0]
ROW, OTHER = {"id": "x", "title": "x"}, {"id": "y", "title": "y"}


@pytest.mark.parametrize(
    ("content", "pointer", "code"),
    [
        ({"kind": "gif", "link": LINK}, "/content/kind", "invalid_choice"),
        ("image", "/content/kind", "invalid_choice"),
        ({"kind": "image"}, "/content/link", "one_of"),
        ({"kind": "image", "link": "http://x.nl/a.jpg"}, "/content/link", "form"),
        ({"kind": "audio", "link": LINK, "caption": "x"}, "/content/caption", "unknown"),
        ({"kind": "audio", "link": LINK, "voice": "yes"}, "/content/voice", "invalid"),
        ({"kind": "location", "latitude": "52", "longitude": 5}, "/content/latitude", "invalid"),
        ({"kind": "location", "latitude": 91, "longitude": 5}, "/content/latitude", "max_value"),
        ({"kind": "location", "latitude": 1, "longitude": 5, "address": "x"}, "/content/name", "required"),
        ({**BUTTONS, "buttons": []}, "/content/buttons", "min_length"),
        ({**BUTTONS, "buttons": [{"id": str(n), "title": str(n)} for n in range(4)]}, "/content/buttons", "max_length"),
        ({**BUTTONS, "buttons": [{"id": "a", "title": "x" * 21}]}, "/content/buttons/0/title", "max_length"),
        ({**BUTTONS, "buttons": [ROW, ROW]}, "/content", "button_ids_repeat"),
        ({**BUTTONS, "headerMedium": {"kind": "image", "link": LINK}}, "/content", "one_of"),
        ({**LIST, "sections": [{"rows": [ROW]}, {"rows": [OTHER]}]}, "/content", "list_section_title_missing"),
        ({**LIST, "sections": [{"rows": [ROW, ROW]}]}, "/content", "list_row_ids_repeat"),
        ({"kind": "contacts", "cards": [{"formattedName": " "}]}, "/content/cards/0/formattedName", "blank"),
    ],
)  # fmt: skip
def test_it_points_at_what_is_wrong(send, content, pointer, code):
    answer = send(content)
    assert answer.status_code == 400, answer.json()
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert queued() == []


def test_a_message_is_a_text_or_a_content(send):
    answer = send(BUTTONS, text="Dag.")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/content"]


class TestReactions:
    def test_it_names_the_citizens_message(self, send, asked):
        answer = send({"kind": "reaction", "messageId": str(asked.id), "emoji": "👍🏽"})
        assert answer.status_code == 201
        assert queued()[0].request["reaction"] == {"message_id": asked.wamid, "emoji": "👍🏽"}
        assert "context" not in queued()[0].request
        assert (answer.json()["kind"], answer.json()["text"]) == ("reaction", "👍🏽")

    def test_who_asked_something_still_waits(self, send, asked):
        send({"kind": "reaction", "messageId": str(asked.id), "emoji": "👀"})
        with schema_context("utrecht"):
            assert Thread.objects.get().waiting_since is not None

    def test_it_is_taken_away_once(self, send, asked, clock):
        away = {"kind": "reaction", "messageId": str(asked.id), "emoji": ""}
        assert send(away).json()["code"] == "reaction_none_to_remove"
        send({**away, "emoji": "👍"})
        clock.move(seconds=1)
        assert send(away).status_code == 201
        clock.move(seconds=1)
        assert send(away).json()["code"] == "reaction_none_to_remove"
        assert [item.request["reaction"]["emoji"] for item in queued()] == ["👍", ""]

    @pytest.mark.parametrize("emoji", ["ok", "👍 ", "a👍", "1", "!", "👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍"])
    def test_it_is_an_emoji(self, send, asked, emoji):
        answer = send({"kind": "reaction", "messageId": str(asked.id), "emoji": emoji})
        assert answer.status_code == 400
        assert queued() == []

    @pytest.mark.parametrize("emoji", ["❤️", "🇳🇱", "👩‍🚒", "1️⃣", "‼️", "☎️", "🙏"])
    def test_every_form_of_emoji_is_one(self, send, asked, emoji):
        assert send({"kind": "reaction", "messageId": str(asked.id), "emoji": emoji}).status_code == 201

    def test_it_finds_no_message_of_another_thread(self, send):
        answer = send({"kind": "reaction", "messageId": str(uuid.uuid4()), "emoji": "👍"})
        assert (answer.status_code, answer.json()["code"]) == (404, "message_not_found")

    def test_it_is_not_given_to_our_own(self, send, api):
        ours = send(BUTTONS).json()["id"]
        answer = send({"kind": "reaction", "messageId": ours, "emoji": "👍"})
        assert (answer.status_code, answer.json()["code"]) == (409, "reaction_target_ours")

    def test_it_is_not_given_to_an_edit_of_nothing(self, send, utrecht, clock):
        self.receive(utrecht, clock, type="edit", edit={})
        with schema_context("utrecht"):
            theirs = Message.objects.get(kind="edit")
        answer = send({"kind": "reaction", "messageId": str(theirs.id), "emoji": "👍"})
        assert answer.json()["code"] == "reaction_target_kind"

    def test_it_is_not_given_to_what_was_withdrawn(self, send, utrecht, asked, clock):
        self.receive(utrecht, clock, type="revoke", revoke={"original_message_id": asked.wamid})
        answer = send({"kind": "reaction", "messageId": str(asked.id), "emoji": "👍"})
        assert answer.json()["code"] == "reaction_target_withdrawn"

    def test_it_is_given_for_thirty_days(self, send, utrecht, asked, clock):
        clock.set(asked.stamped_at + timedelta(days=30) - timedelta(seconds=1))
        self.receive(utrecht, clock, type="text", text={"body": "Nog steeds."})
        reaction = {"kind": "reaction", "messageId": str(asked.id), "emoji": "👍"}
        assert send(reaction).status_code == 201
        clock.move(seconds=1)
        assert send(reaction).json()["code"] == "reaction_target_too_old"

    def receive(self, utrecht, clock, **element):
        with schema_context("utrecht"):
            meta.receive(utrecht, meta.message(utrecht, wamid="wamid.NEXT", at=clock.move(seconds=0), **element))
