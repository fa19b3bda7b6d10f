"""Every kind of message that pywa sends and reads, with what must become of it."""

from typing import Any

from pywa_async import types

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
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
