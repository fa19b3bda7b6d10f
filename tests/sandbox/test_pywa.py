"""pywa sends every kind of message that it knows and reads every status and message of the sandbox."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pywa_async import WhatsApp, types
from pywa_async.types.message_status import MessageStatus, MessageStatusType, PricingCategory, PricingType
from pywa_client import Reader, make_client, reader
from sandbox_doors import NUMBER, Doors, Platform

CITIZEN = "+31697000001"
WA_ID = "31697000001"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


@pytest.fixture
def read(client: WhatsApp, platform: Platform) -> Reader:
    """Let pywa read whatever POSTs came."""
    return reader(client=client, platform=platform)


@pytest.fixture
async def client(doors: Doors) -> AsyncIterator[WhatsApp]:
    # pywa reads the first update of each POST alone, and expects the ids that Meta gives since April 2026.
    switches = {"max_updates_per_post": 1, "keep_bodies": True, "bsuid_for_all": True, "pair_limit": False}
    await doors.control("POST", "switches", switches)
    client = make_client(url=doors.url)
    yield client
    await client.api._session.aclose()


BUTTONS = [types.Button(title="Ja", callback_data="ja"), types.Button(title="Nee", callback_data="nee")]
ROWS = [types.SectionRow(title="Paspoort", callback_data="paspoort", description="en identiteitskaart")]
CARDS = [
    types.ImageCarouselCard(
        body="Milieustraat", buttons=types.URLButton(title="Meer", url="https://example.nl"), image="https://a.nl/1.jpg"
    ),
    types.ImageCarouselCard(
        body="Stadhuis", buttons=types.URLButton(title="Meer", url="https://example.nl"), image="https://a.nl/2.jpg"
    ),
]
CONTACT = types.Contact(
    name=types.Contact.Name(formatted_name="Stadhuis", first_name="Stadhuis"),
    phones=[types.Contact.Phone(phone="+31530000000", type="WORK", wa_id="31530000000")],
)
# Every method of pywa that sends, with what the wire must then say: (method, arguments, type, interactive type).
SENDS: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("send_message", {"text": "Dag!", "preview_url": True}, "text", None),
    (
        "send_message",
        {"text": "Akkoord?", "header": "Vraag", "footer": "KCC", "buttons": BUTTONS},
        "interactive",
        "button",
    ),
    (
        "send_message",
        {"text": "Kies", "buttons": types.SectionList("Kies", [types.Section(title="Balie", rows=ROWS)])},
        "interactive",
        "list",
    ),
    ("send_message", {"text": "Zie", "buttons": types.URLButton("Open", "https://a.nl")}, "interactive", "cta_url"),
    ("send_message", {"text": "Bel", "buttons": types.VoiceCallButton("Bel ons")}, "interactive", "voice_call"),
    (
        "send_message",
        {"text": "Mogen wij bellen?", "buttons": types.CallPermissionRequestButton()},
        "interactive",
        "call_permission_request",
    ),
    (
        "send_message",
        {
            "text": "Vul in",
            "buttons": types.FlowButton(
                "Start",
                flow_id="1",
                flow_token="t",
                flow_action_type=types.FlowActionType.NAVIGATE,
                flow_action_screen="A",
            ),
        },
        "interactive",
        "flow",
    ),
    ("send_image", {"image": "https://a.nl/kaart.jpg", "caption": "Kaart"}, "image", None),
    ("send_image", {"image": PNG, "mime_type": "image/png"}, "image", None),
    (
        "send_image",
        {"image": "https://a.nl/kaart.jpg", "caption": "Kaart", "buttons": BUTTONS},
        "interactive",
        "button",
    ),
    ("send_video", {"video": "https://a.nl/film.mp4", "caption": "Film"}, "video", None),
    (
        "send_document",
        {"document": "https://a.nl/brief.pdf", "filename": "brief.pdf", "caption": "Brief"},
        "document",
        None,
    ),
    ("send_audio", {"audio": "https://a.nl/geluid.mp3"}, "audio", None),
    ("send_voice", {"voice": b"OggS" + b"0" * 60, "mime_type": "audio/ogg"}, "audio", None),
    ("send_sticker", {"sticker": b"RIFF" + b"0" * 60, "mime_type": "image/webp"}, "sticker", None),
    (
        "send_location",
        {"latitude": 52.22, "longitude": 6.89, "name": "Stadhuis", "address": "Korte Hengelosestraat 1"},
        "location",
        None,
    ),
    ("request_location", {"text": "Waar bent u?"}, "interactive", "location_request_message"),
    ("request_contact_info", {"text": "Wat is uw nummer?"}, "interactive", "request_contact_info"),
    ("send_contact", {"contact": CONTACT}, "contacts", None),
    ("send_catalog", {"body": "Formulieren"}, "interactive", "catalog_message"),
    ("send_product", {"catalog_id": "1", "sku": "vlag"}, "interactive", "product"),
    (
        "send_products",
        {
            "catalog_id": "1",
            "product_sections": [types.ProductsSection(title="Vlaggen", skus=["vlag", "wimpel"])],
            "title": "Winkel",
            "body": "Alles",
        },
        "interactive",
        "product_list",
    ),
    ("send_carousel", {"body": "Locaties", "cards": CARDS}, "interactive", "carousel"),
]


@pytest.mark.parametrize(("method", "arguments", "kind", "interactive"), SENDS, ids=lambda each: str(each)[:40])
async def test_it_sends(
    doors: Doors,
    platform: Platform,
    client: WhatsApp,
    read: Reader,
    method: str,
    arguments: dict[str, Any],
    kind: str,
    interactive: str | None,
) -> None:
    asked = await doors.write()
    await doors.until_quiet()
    platform.posts.clear()
    sent = await getattr(client, method)(to=CITIZEN, tracker="ons-id", reply_to_message_id=asked, **arguments)
    rows = (await doors.control("GET", f"books?list=sends&wamid={sent.id.replace('+', '%2B')}"))["sends"]["rows"]
    body = rows[0]["body"]
    assert (rows[0]["outcome"], rows[0]["type"], body["context"]) == ("ACCEPTED", kind, {"message_id": asked})
    assert body[kind].get("type") == interactive if interactive else kind in body
    await doors.until_quiet()
    statuses = await read()
    assert [(type(each), each.id, each.tracker) for each in statuses] == [(MessageStatus, sent.id, "ons-id")] * 3
    assert {each.status for each in statuses} == {
        MessageStatusType.SENT,
        MessageStatusType.DELIVERED,
        MessageStatusType.READ,
    }
    priced = [each.pricing for each in statuses if each.pricing]
    assert len(priced) == 2
    assert {(each.type, each.category) for each in priced} == {
        (PricingType.FREE_CUSTOMER_SERVICE, PricingCategory.SERVICE)
    }


async def test_it_reacts_and_takes_it_back(doors: Doors, client: WhatsApp) -> None:
    asked = await doors.write()
    await client.send_reaction(to=CITIZEN, emoji="👍", message_id=asked)
    await client.remove_reaction(to=CITIZEN, message_id=asked)
    assert [each.body["reaction"]["emoji"] for each in doors.sandbox.world.books.sends] == ["👍", ""]


async def test_it_marks_as_read_and_shows_that_it_types(doors: Doors, client: WhatsApp) -> None:
    asked = await doors.write()
    assert await client.mark_message_as_read(message_id=asked)
    assert await client.indicate_typing(message_id=asked)
    assert doors.sandbox.world.books.marked_read == 2


async def test_it_sends_to_a_citizen_known_by_id_alone(
    doors: Doors, platform: Platform, client: WhatsApp, read: Reader
) -> None:
    citizen = {"bsuid": "NL.13491208655302741918", "username": "anna", "name": "Anna"}
    message = {"type": "text", "text": {"body": "Dag"}}
    update = {"phone_number_id": NUMBER, "citizen": citizen, "message": message}
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    [written] = await read()
    assert (written.from_user.bsuid, written.from_user.wa_id) == (citizen["bsuid"], None)
    assert written.from_user.username == "anna"
    sent = await written.reply("Dag Anna")
    await doors.until_quiet()
    statuses = await read()
    assert {(each.id, each.from_user.bsuid) for each in statuses} == {(sent.id, citizen["bsuid"])}


MEDIA = {"mime_type", "sha256", "id"}
# What citizens send: (message, the class that pywa makes of it, what it must say).
INBOUND: list[tuple[dict[str, Any], type, dict[str, Any]]] = [
    ({"type": "text", "text": {"body": "Hallo"}}, types.Message, {"text": "Hallo"}),
    ({"type": "image", "image": {"caption": "lantaarn"}}, types.Message, {"caption": "lantaarn"}),
    ({"type": "video", "video": {}}, types.Message, {"has_media": True}),
    ({"type": "document", "document": {"filename": "akte.pdf"}}, types.Message, {"has_media": True}),
    ({"type": "audio", "audio": {}}, types.Message, {"has_media": True}),
    ({"type": "sticker", "sticker": {}}, types.Message, {"has_media": True}),
    ({"type": "location", "location": {"latitude": 52.2, "longitude": 6.9}}, types.Message, {}),
    (
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "A", "first_name": "A"},
                    "phones": [{"phone": "+31600000000", "wa_id": "31600000000", "type": "CELL"}],
                }
            ],
        },
        types.Message,
        {},
    ),
    (
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "ja", "title": "Ja"}}},
        types.CallbackButton,
        {"data": "ja"},
    ),
    (
        {
            "type": "interactive",
            "interactive": {"type": "list_reply", "list_reply": {"id": "p", "title": "P", "description": "d"}},
        },
        types.CallbackSelection,
        {"data": "p"},
    ),
    (
        {
            "type": "interactive",
            "interactive": {
                "type": "nfm_reply",
                "nfm_reply": {"name": "flow", "body": "Sent", "response_json": '{"flow_token": "t", "a": 1}'},
            },
        },
        types.FlowCompletion,
        {"token": "t"},
    ),
    (
        {
            "type": "interactive",
            "interactive": {
                "type": "call_permission_reply",
                "call_permission_reply": {"response": "accept", "response_source": "user_action"},
            },
        },
        types.CallPermissionUpdate,
        {},
    ),
    ({"type": "interactive"}, types.Message, {}),
    ({"type": "button", "button": {"payload": "stop", "text": "Stop"}}, types.CallbackButton, {"data": "stop"}),
    ({"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}}, types.Message, {}),
    ({"type": "reaction", "reaction": {"message_id": "wamid.x"}}, types.Message, {}),
    (
        {
            "type": "order",
            "order": {
                "catalog_id": "1",
                "text": "Graag",
                "product_items": [{"product_retailer_id": "vlag", "quantity": 1, "item_price": 9.5, "currency": "EUR"}],
            },
        },
        types.Message,
        {},
    ),
    ({"type": "unsupported"}, types.Message, {}),
    (
        {
            "type": "edit",
            "edit": {"original_message_id": "wamid.x", "message": {"type": "text", "text": {"body": "Hallo!"}}},
        },
        types.EditedMessage,
        {"original_message_id": "wamid.x"},
    ),
    (
        {"type": "revoke", "revoke": {"original_message_id": "wamid.x"}},
        types.DeletedMessage,
        {"original_message_id": "wamid.x"},
    ),
    (
        {
            "type": "system",
            "system": {
                "body": "A changed from 31697000001 to 31697000002",
                "wa_id": "31697000002",
                "type": "user_changed_number",
            },
        },
        types.PhoneNumberChange,
        {"new_wa_id": "31697000002"},
    ),
    (
        {
            "type": "system",
            "system": {"body": "A changed from NL.1 to NL.2", "user_id": "NL.2", "type": "user_changed_user_id"},
        },
        types.PhoneNumberChange,
        {"new_user_id": "NL.2"},
    ),
    ({"type": "text", "text": {"body": "Door"}, "context": {"forwarded": True}}, types.Message, {"forwarded": True}),
    (
        {"type": "text", "text": {"body": "Vaak"}, "context": {"frequently_forwarded": True}},
        types.Message,
        {"forwarded_many_times": True},
    ),
    (
        {
            "type": "text",
            "text": {"body": "Advertentie"},
            "referral": {
                "source_url": "https://fb.me/1",
                "source_id": "1",
                "source_type": "ad",
                "headline": "h",
                "body": "b",
                "media_type": "image",
                "image_url": "https://a.nl/1.jpg",
                "ctwa_clid": "c",
            },
        },
        types.Message,
        {},
    ),
]


@pytest.mark.parametrize(("message", "kind", "said"), INBOUND, ids=lambda each: str(each)[:44])
async def test_it_reads_what_a_citizen_sends(
    doors: Doors, read: Reader, message: dict[str, Any], kind: type, said: dict[str, Any]
) -> None:
    citizen = {"phone": WA_ID, "name": "Anna"}
    update = {"phone_number_id": NUMBER, "citizen": citizen, "message": message}
    if message.get("interactive", {}).get("type") == "list_reply":  # pywa demands what it replies to
        update["context_wamid"] = "wamid.list"
    answer = await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    [made] = await read()
    assert isinstance(made, kind)
    assert made.id == answer["wamids"][0] or message["type"] in ("edit", "revoke")
    assert (made.metadata.phone_number_id, made.from_user.wa_id) == (NUMBER, WA_ID)
    assert {name: getattr(made, name) for name in said} == said


@pytest.mark.parametrize(
    "switch", [{"payload_version": "v23"}, {"username_with_at": True}, {"media_url_in_webhook": False}]
)
async def test_it_reads_the_other_shapes(
    doors: Doors, platform: Platform, client: WhatsApp, read: Reader, switch: dict[str, Any]
) -> None:
    await doors.control("POST", "switches", switch)
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"phone": WA_ID, "username": "anna"},
        "message": {"type": "image", "image": {}},
    }
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    await client.send_message(to=CITIZEN, text="Dank")
    await doors.until_quiet()
    written, *statuses = await read()
    assert written.image.id
    conversations = [each.conversation for each in statuses]
    assert all(conversations) if "payload_version" in switch else not any(conversations)


async def test_a_refusal_is_the_exception_that_it_has_for_the_code(doors: Doors, client: WhatsApp) -> None:
    from pywa import errors

    with pytest.raises(errors.ReEngagementMessage) as refused:
        await client.send_message(to=CITIZEN, text="Dag")
    assert refused.value.code == 131047
    assert refused.value.details
    await doors.write()
    for as_string in (True, False):
        await doors.control("POST", "switches", {"error_data_as_string": as_string})
        await doors.control("POST", "faults", {"sends": [{"kind": "error", "code": 130429}]})
        with pytest.raises(errors.WhatsAppError) as limited:
            await client.send_message(to=CITIZEN, text="Dag")
        assert (limited.value.code, limited.value.details) == (130429, "Asked for by a fault.")


async def test_a_failed_status_has_no_contacts_which_it_does_not_expect(
    doors: Doors, platform: Platform, client: WhatsApp, read: Reader
) -> None:
    """Meta leaves `contacts` out of a failed status (domain notes 1.4); pywa reads it only where it is put in."""
    await doors.write()
    for shown in (False, True):
        await doors.control("POST", "switches", {"contacts_on_failed": shown})
        await doors.control("POST", "faults", {"sends": [{"kind": "failed_status", "code": 131026}]})
        platform.posts.clear()
        await client.send_message(to=CITIZEN, text="Dag")
        await doors.until_quiet()
        if not shown:
            assert await read() == [None]
    [failed] = await read()
    assert (failed.status, failed.error.code) == (MessageStatusType.FAILED, 131026)
