"""Checks what a business asks to send, as Meta does: required fields, types and lengths of each kind of message.

Limits are those of Meta's pages as the domain notes state them. Raises GraphError with Meta's codes: 131008 for what
is missing, 131009 for a value that is not valid, 131051 for a type that does not exist.
"""

from collections.abc import Callable
from typing import Any

from sandbox.graph_errors import GraphError

TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024
OPAQUE_LENGTH = 512

Body = dict[str, Any]


def check_message(*, payload: Body, kind: str) -> None:
    """Check the object under the key `kind`; templates are checked against what was approved, elsewhere."""
    check = _CHECKS.get(kind)
    if check is None:
        raise GraphError(code=131051, details=f"Message type {kind} is not supported.")
    body = payload.get(kind)
    if body is None:
        raise _missing(kind)
    check(kind, body)


def check_envelope(*, payload: Body) -> None:
    """Check what all messages have in common."""
    if payload.get("messaging_product") != "whatsapp":
        raise GraphError(code=100, details="The parameter messaging_product is required.")
    opaque = payload.get("biz_opaque_callback_data")
    if opaque is not None and (not isinstance(opaque, str) or len(opaque) > OPAQUE_LENGTH):
        raise GraphError(code=131009, details=f"biz_opaque_callback_data is at most {OPAQUE_LENGTH} characters.")
    context = payload.get("context")
    if context is not None and not (isinstance(context, dict) and isinstance(context.get("message_id"), str)):
        raise _missing("context.message_id")


def _missing(name: str) -> GraphError:
    return GraphError(code=131008, details=f"The parameter {name} is required.")


def _invalid(name: str, why: str) -> GraphError:
    return GraphError(code=131009, details=f"Parameter {name} is not valid: {why}.")


def _object(name: str, value: Any) -> Body:
    if not isinstance(value, dict):
        raise _invalid(name, "an object is expected")
    return value


def _words(body: Body, key: str, name: str, *, most: int, required: bool = True) -> None:
    value = body.get(key)
    if value is None or value == "":
        if required:
            raise _missing(name)
        return
    if not isinstance(value, str):
        raise _invalid(name, "a string is expected")
    if len(value) > most:
        raise _invalid(name, f"at most {most} characters")


def _check_text(kind: str, raw: Any) -> None:
    _words(_object(kind, raw), "body", "text.body", most=TEXT_LENGTH)


def _check_media(kind: str, raw: Any) -> None:
    body = _object(kind, raw)
    given = [key for key in ("id", "link") if body.get(key)]
    if not given:
        raise _missing(f"{kind}.id or {kind}.link")
    if len(given) == 2:
        raise _invalid(kind, "either id or link")
    if "caption" in body and kind in ("audio", "sticker"):
        raise _invalid(f"{kind}.caption", "this type has no caption")
    _words(body, "caption", f"{kind}.caption", most=CAPTION_LENGTH, required=False)
    link = body.get("link")
    if link is not None and not str(link).startswith(("https://", "http://")):
        raise _invalid(f"{kind}.link", "a URL is expected")


def _check_location(kind: str, raw: Any) -> None:
    body = _object(kind, raw)
    for key, most in (("latitude", 90), ("longitude", 180)):
        if body.get(key) is None:
            raise _missing(f"location.{key}")
        try:
            fits = abs(float(body[key])) <= most
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise _invalid(f"location.{key}", "out of range")


def _check_contacts(kind: str, raw: Any) -> None:
    if not isinstance(raw, list) or not raw:
        raise _invalid(kind, "a list is expected")
    for contact in raw:
        name = _object("contacts", contact).get("name")
        if not isinstance(name, dict) or not name.get("formatted_name"):
            raise _missing("contacts.name.formatted_name")


def _check_reaction(kind: str, raw: Any) -> None:
    body = _object(kind, raw)
    _words(body, "message_id", "reaction.message_id", most=512)
    if "emoji" not in body:
        raise _missing("reaction.emoji")


def _check_interactive(kind: str, raw: Any) -> None:
    body = _object(kind, raw)
    form = body.get("type")
    check = _INTERACTIVE.get(str(form))
    if check is None:
        raise _invalid("interactive.type", "unknown") if form else _missing("interactive.type")
    text = _object("interactive.body", body.get("body") or {})
    most = TEXT_LENGTH if form == "list" else 1024
    _words(
        text, "text", "interactive.body.text", most=most, required=form not in ("product", "call_permission_request")
    )
    if body.get("footer") is not None:
        _words(_object("interactive.footer", body["footer"]), "text", "interactive.footer.text", most=60)
    _check_header(form=str(form), header=body.get("header"))
    check(_object("interactive.action", body.get("action") or {}))


def _check_header(*, form: str, header: Any) -> None:
    if header is None:
        return
    kind = _object("interactive.header", header).get("type")
    if kind not in _HEADERS.get(form, ("text", *HEADER_MEDIA)):
        raise _invalid("interactive.header.type", f"not for {form}")
    if kind == "text":
        _words(header, "text", "interactive.header.text", most=60)
    elif header.get(kind) is None:
        raise _missing(f"interactive.header.{kind}")
    else:
        _check_media(kind, header[kind])


def _check_buttons(action: Body) -> None:
    buttons = action.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise _invalid("interactive.action.buttons", "1 to 3 buttons")
    replies = [_object("reply", _object("button", button).get("reply") or {}) for button in buttons]
    for reply in replies:
        _words(reply, "id", "button.reply.id", most=256)
        _words(reply, "title", "button.reply.title", most=20)
    for key in ("id", "title"):
        if len({reply[key] for reply in replies}) != len(replies):
            raise _invalid("interactive.action.buttons", f"each {key} is unique")


def _check_list(action: Body) -> None:
    _words(action, "button", "interactive.action.button", most=20)
    sections = action.get("sections")
    if not isinstance(sections, list) or not 1 <= len(sections) <= 10:
        raise _invalid("interactive.action.sections", "1 to 10 sections")
    rows, ids = 0, set()
    for section in sections:
        body = _object("section", section)
        _words(body, "title", "section.title", most=24, required=len(sections) > 1)
        if not body.get("rows"):
            raise _missing("section.rows")
        for row in body["rows"]:
            rows += 1
            _words(_object("row", row), "id", "row.id", most=200)
            ids.add(row["id"])
            _words(row, "title", "row.title", most=24)
            _words(row, "description", "row.description", most=72, required=False)
    if not 1 <= rows <= 10:
        raise _invalid("interactive.action.sections", "1 to 10 rows in total")
    if len(ids) != rows:
        raise _invalid("interactive.action.sections", "each row's id is unique")


def _check_cta_url(action: Body) -> None:
    if action.get("name") != "cta_url":
        raise _invalid("interactive.action.name", "cta_url is expected")
    parameters = _object("parameters", action.get("parameters") or {})
    _words(parameters, "display_text", "parameters.display_text", most=20)
    _words(parameters, "url", "parameters.url", most=2000)
    if not parameters["url"].startswith(("https://", "http://")):
        raise _invalid("parameters.url", "a URL is expected")


def _named(name: str) -> Callable[[Body], None]:
    def check(action: Body) -> None:
        if action.get("name") != name:
            raise _invalid("interactive.action.name", f"{name} is expected")

    return check


def _check_product(action: Body) -> None:
    for key in ("catalog_id", "product_retailer_id"):
        _words(action, key, f"interactive.action.{key}", most=100)


def _check_product_list(action: Body) -> None:
    _words(action, "catalog_id", "interactive.action.catalog_id", most=100)
    sections = action.get("sections")
    if not isinstance(sections, list) or not 1 <= len(sections) <= 10:
        raise _invalid("interactive.action.sections", "1 to 10 sections")
    items = [item for section in sections for item in _object("section", section).get("product_items") or []]
    if not 1 <= len(items) <= 30:
        raise _invalid("interactive.action.sections", "1 to 30 products in total")
    for item in items:
        _words(_object("product", item), "product_retailer_id", "product_retailer_id", most=100)


def _check_carousel(action: Body) -> None:
    cards = action.get("cards")
    if not isinstance(cards, list) or not 2 <= len(cards) <= 10:
        raise _invalid("interactive.action.cards", "2 to 10 cards")
    for card in cards:
        if not isinstance(_object("card", card).get("action"), dict):
            raise _missing("card.action")


HEADER_MEDIA = ("image", "video", "document")
# What may stand above each form; a form that is not named here takes any.
_HEADERS: dict[str, tuple[str, ...]] = {
    "list": ("text",),
    "location_request_message": (),
    "contact_request": (),
    "product_list": ("text",),
}
_INTERACTIVE: dict[str, Callable[[Body], None]] = {
    "button": _check_buttons,
    "list": _check_list,
    "cta_url": _check_cta_url,
    "location_request_message": _named("send_location"),
    "flow": _named("flow"),
    "voice_call": _named("voice_call"),
    "call_permission_request": _named("call_permission_request"),
    "catalog_message": _named("catalog_message"),
    "product": _check_product,
    "product_list": _check_product_list,
    "carousel": _check_carousel,
    "contact_request": _named("request_contact_info"),
    # The name that a widespread client sends instead; Meta's page could not be read on it.
    "request_contact_info": _named("request_contact_info"),
}
_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "text": _check_text,
    "image": _check_media,
    "video": _check_media,
    "audio": _check_media,
    "document": _check_media,
    "sticker": _check_media,
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
    "interactive": _check_interactive,
}
