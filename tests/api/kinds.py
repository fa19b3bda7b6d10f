"""One example of every free-form kind as a caller writes it, and the object that Meta gets of it."""

from typing import Any

LINK = "https://www.utrecht.nl/bestand"

EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "image": (
        {"kind": "image", "link": f"{LINK}.jpg", "caption": "De plattegrond"},
        {"type": "image", "image": {"link": f"{LINK}.jpg", "caption": "De plattegrond"}},
    ),
    "video": (
        {"kind": "video", "link": f"{LINK}.mp4", "caption": "Zo werkt het"},
        {"type": "video", "video": {"link": f"{LINK}.mp4", "caption": "Zo werkt het"}},
    ),
    "document": (
        {"kind": "document", "link": f"{LINK}.pdf", "caption": "Uw vergunning", "filename": "vergunning.pdf"},
        {
            "type": "document",
            "document": {"link": f"{LINK}.pdf", "caption": "Uw vergunning", "filename": "vergunning.pdf"},
        },
    ),
    "audio": (
        {"kind": "audio", "link": f"{LINK}.ogg", "voice": True},
        {"type": "audio", "audio": {"link": f"{LINK}.ogg", "voice": True}},
    ),
    "sticker": (
        {"kind": "sticker", "link": f"{LINK}.webp"},
        {"type": "sticker", "sticker": {"link": f"{LINK}.webp"}},
    ),
    "location": (
        {
            "kind": "location",
            "latitude": 52.0907,
            "longitude": 5.1214,
            "name": "Stadskantoor",
            "address": "Stadsplateau 1",
        },
        {
            "type": "location",
            "location": {
                "latitude": 52.0907,
                "longitude": 5.1214,
                "name": "Stadskantoor",
                "address": "Stadsplateau 1",
            },
        },
    ),
    "contacts": (
        {
            "kind": "contacts",
            "cards": [
                {
                    "formattedName": "Team Afval",
                    "organisation": "Gemeente Utrecht",
                    "phones": [{"phone": "+3114030", "type": "WORK"}],
                    "emails": ["afval@utrecht.example"],
                    "urls": ["https://www.utrecht.nl/afval"],
                }
            ],
        },
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "Team Afval", "first_name": "Team Afval"},
                    "phones": [{"phone": "+3114030", "type": "WORK"}],
                    "emails": [{"email": "afval@utrecht.example"}],
                    "urls": [{"url": "https://www.utrecht.nl/afval"}],
                    "org": {"company": "Gemeente Utrecht"},
                }
            ],
        },
    ),
    "buttons": (
        {
            "kind": "buttons",
            "headerText": "Afspraak",
            "body": "Komt u morgen?",
            "footer": "Gemeente Utrecht",
            "buttons": [{"id": "ja", "title": "Ja"}, {"id": "nee", "title": "Nee"}],
        },
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "text", "text": "Afspraak"},
                "body": {"text": "Komt u morgen?"},
                "footer": {"text": "Gemeente Utrecht"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "ja", "title": "Ja"}},
                        {"type": "reply", "reply": {"id": "nee", "title": "Nee"}},
                    ]
                },
            },
        },
    ),
    "buttons below a document": (
        {
            "kind": "buttons",
            "headerMedium": {"kind": "document", "link": f"{LINK}.pdf", "filename": "plan.pdf"},
            "body": "Gaat u akkoord?",
            "buttons": [{"id": "ja", "title": "Akkoord"}],
        },
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "document", "document": {"link": f"{LINK}.pdf", "filename": "plan.pdf"}},
                "body": {"text": "Gaat u akkoord?"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "ja", "title": "Akkoord"}}]},
            },
        },
    ),
    "list": (
        {
            "kind": "list",
            "headerText": "Loket",
            "body": "Waarover gaat uw vraag?",
            "button": "Kies",
            "footer": "Gemeente Utrecht",
            "sections": [
                {"title": "Wonen", "rows": [{"id": "v", "title": "Verhuizen", "description": "Binnen de stad"}]},
                {"title": "Straat", "rows": [{"id": "a", "title": "Afval"}]},
            ],
        },
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "header": {"type": "text", "text": "Loket"},
                "body": {"text": "Waarover gaat uw vraag?"},
                "footer": {"text": "Gemeente Utrecht"},
                "action": {
                    "button": "Kies",
                    "sections": [
                        {
                            "title": "Wonen",
                            "rows": [{"id": "v", "title": "Verhuizen", "description": "Binnen de stad"}],
                        },
                        {"title": "Straat", "rows": [{"id": "a", "title": "Afval"}]},
                    ],
                },
            },
        },
    ),
    "urlButton": (
        {
            "kind": "urlButton",
            "body": "Maak hier een afspraak.",
            "label": "Afspraak",
            "url": "https://www.utrecht.nl/a",
        },
        {
            "type": "interactive",
            "interactive": {
                "type": "cta_url",
                "body": {"text": "Maak hier een afspraak."},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Afspraak", "url": "https://www.utrecht.nl/a"},
                },
            },
        },
    ),
    "locationRequest": (
        {"kind": "locationRequest", "body": "Waar ligt het afval?"},
        {
            "type": "interactive",
            "interactive": {
                "type": "location_request_message",
                "body": {"text": "Waar ligt het afval?"},
                "action": {"name": "send_location"},
            },
        },
    ),
    "contactRequest": (
        {"kind": "contactRequest", "body": "Op welk nummer kunnen wij u bellen?"},
        {
            "type": "interactive",
            "interactive": {
                "type": "contact_request",
                "body": {"text": "Op welk nummer kunnen wij u bellen?"},
                "action": {"name": "request_contact_info"},
            },
        },
    ),
}
