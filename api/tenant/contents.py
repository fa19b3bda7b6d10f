"""What a free-form message may be, as JSON: one shape for each kind, told apart by `kind`, and what it becomes.

Lengths stand here so that the document says them; what else Meta asks is checked where messages are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from api.fields import STORABLE, CamelCase, Choice, Degrees, Id, Pattern, Readable, Truth
from messaging.attaching import Attach
from messaging.reaching import React
from whatsapp import limits, outgoing

# In ASCII, as addresses travel; the rest is percent-encoded.
LINK = r"^https://[A-Za-z0-9][!-~]{0,1990}$"
PAGE = r"^https?://[A-Za-z0-9][!-~]{0,1990}$"
PHONE = r"^\+[1-9][0-9 ]{4,30}$"
EMAIL = r"^[!-?A-~]{1,64}@[!-?A-~]{1,189}$"


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored medium that is to be sent as a kind."""

    kind: str
    attach: Attach


class Free(CamelCase):
    """A kind of message."""

    def make(self, values: dict[str, Any]) -> outgoing.Content | React | Stored:
        """Return the message that these values are."""
        raise NotImplementedError


class WithLink(Free):
    """A medium on the web, which WhatsApp fetches and keeps for ten minutes, or one that is stored here."""

    link = Pattern(
        LINK, required=False, max_length=limits.LINK_CHARACTERS, help_text="An https address that needs no sign-in."
    )
    medium_id = Id(required=False, help_text="A medium that is stored here, instead of link.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse both and neither."""
        if ("link" in attrs) == ("medium_id" in attrs):
            raise serializers.ValidationError(
                {"link": [serializers.ErrorDetail("Give either link or mediumId.", code="one_of")]}
            )
        return attrs

    def make(self, values: dict[str, Any]) -> outgoing.Content | Stored:
        """Return the medium."""
        if "link" in values:
            return outgoing.MediaMessage(**values)
        return Stored(kind=values.pop("kind"), attach=Attach(**values))


class Image(WithLink):
    """An image: JPEG or PNG, at most 5 MB."""

    kind = Choice(choices=["image"])
    caption = Readable(required=False, max_length=limits.CAPTION_CHARACTERS)


class Video(WithLink):
    """A video: MP4 or 3GP, at most 16 MB."""

    kind = Choice(choices=["video"])
    caption = Readable(required=False, max_length=limits.CAPTION_CHARACTERS)


class Document(WithLink):
    """A document: PDF, text or of an office program, at most 100 MB."""

    kind = Choice(choices=["document"])
    caption = Readable(required=False, max_length=limits.CAPTION_CHARACTERS)
    filename = Readable(required=False, max_length=limits.FILENAME_CHARACTERS, help_text="As the citizen sees it.")


class Audio(WithLink):
    """A sound: AAC, AMR, MP3, M4A or OGG with Opus, at most 16 MB."""

    kind = Choice(choices=["audio"])
    voice = Truth(required=False, help_text="Shown as a voice message; OGG with Opus only.")


class Sticker(WithLink):
    """A sticker: WebP, at most 100 KB, or 500 KB when it moves."""

    kind = Choice(choices=["sticker"])


class Place(Free):
    """A place on the map."""

    kind = Choice(choices=["location"])
    latitude = Degrees(min_value=-90, max_value=90)
    longitude = Degrees(min_value=-180, max_value=180)
    name = Readable(required=False, max_length=limits.LOCATION_NAME_CHARACTERS)
    address = Readable(
        required=False, max_length=limits.LOCATION_ADDRESS_CHARACTERS, help_text="Shown below the name, so not without."
    )

    def make(self, values: dict[str, Any]) -> outgoing.Content:
        """Return the place."""
        return outgoing.Location(**{name: value for name, value in values.items() if name != "kind"})

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse an address without a name."""
        if "address" in attrs and "name" not in attrs:
            raise serializers.ValidationError(
                {"name": [serializers.ErrorDetail("An address is shown below a name only.", code="required")]}
            )
        return attrs


class CardPhone(CamelCase):
    """A phone number on a card."""

    phone = Pattern(PHONE, max_length=40)
    type = Choice(choices=["CELL", "HOME", "WORK"], required=False)


class ContactCard(CamelCase):
    """One contact card."""

    formatted_name = Readable(max_length=limits.CONTACT_PART_CHARACTERS, help_text="The whole name, as it is shown.")
    first_name = Readable(required=False, max_length=limits.CONTACT_PART_CHARACTERS)
    last_name = Readable(required=False, max_length=limits.CONTACT_PART_CHARACTERS)
    organisation = Readable(required=False, max_length=limits.CONTACT_PART_CHARACTERS)
    phones = serializers.ListField(child=CardPhone(), required=False, max_length=10)
    emails = serializers.ListField(child=Pattern(EMAIL, max_length=254), required=False, max_length=10)
    urls = serializers.ListField(
        child=Pattern(PAGE, max_length=limits.CONTACT_PART_CHARACTERS), required=False, max_length=10
    )


class Cards(Free):
    """Contact cards, such as that of a department."""

    kind = Choice(choices=["contacts"])
    cards = serializers.ListField(child=ContactCard(), min_length=1, max_length=limits.CONTACT_CARDS)

    def make(self, values: dict[str, Any]) -> outgoing.Content:
        """Return the cards."""
        return outgoing.Contacts(cards=tuple(_card(card) for card in values["cards"]))


class HeaderMedium(CamelCase):
    """A medium above a message."""

    kind = Choice(choices=["document", "image", "video"])
    link = Pattern(LINK, max_length=limits.LINK_CHARACTERS)
    filename = Readable(required=False, max_length=limits.FILENAME_CHARACTERS, help_text="Of a document only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a file name of what is no document."""
        if "filename" in attrs and attrs["kind"] != "document":
            wrong = serializers.ErrorDetail("Only a document has a file name.", code="media_filename_not_allowed")
            raise serializers.ValidationError({"filename": [wrong]})
        return attrs


class ReplyButton(CamelCase):
    """A button that answers."""

    id = Readable(max_length=limits.BUTTON_ID_CHARACTERS, help_text="Comes back when it is tapped; unique.")
    title = Readable(max_length=limits.BUTTON_TITLE_CHARACTERS)


class WithHeader(Free):
    """What the kinds with header and footer share; the header is a text or a medium."""

    body = Readable(max_length=limits.INTERACTIVE_BODY_CHARACTERS)
    header_text = Readable(required=False, max_length=limits.HEADER_CHARACTERS)
    header_medium = HeaderMedium(required=False, help_text="Instead of headerText.")
    footer = Readable(required=False, max_length=limits.FOOTER_CHARACTERS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse two headers."""
        if "header_text" in attrs and "header_medium" in attrs:
            raise serializers.ValidationError("Give either headerText or headerMedium.", code="one_of")
        return attrs

    def above(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return body, header and footer as messages take them."""
        medium = values.get("header_medium")
        header = outgoing.MediaPart(**medium) if medium else values.get("header_text")
        return {"body": values["body"], "header": header, "footer": values.get("footer", "")}


class Buttons(WithHeader):
    """A text with one to three reply buttons."""

    kind = Choice(choices=["buttons"])
    buttons = serializers.ListField(child=ReplyButton(), min_length=1, max_length=limits.REPLY_BUTTONS)

    def make(self, values: dict[str, Any]) -> outgoing.Content:
        """Return the message."""
        buttons = tuple(outgoing.Button(**button) for button in values["buttons"])
        return outgoing.ReplyButtons(buttons=buttons, **self.above(values))


class PageButton(WithHeader):
    """A text with a button that opens a page."""

    kind = Choice(choices=["urlButton"])
    label = Readable(max_length=limits.CTA_LABEL_CHARACTERS)
    url = Pattern(PAGE, max_length=limits.LINK_CHARACTERS)

    def make(self, values: dict[str, Any]) -> outgoing.Content:
        """Return the message."""
        return outgoing.CtaUrl(label=values["label"], url=values["url"], **self.above(values))


class ListRow(CamelCase):
    """One choice."""

    id = Readable(max_length=limits.LIST_ROW_ID_CHARACTERS, help_text="Comes back when it is chosen; unique.")
    title = Readable(max_length=limits.LIST_ROW_TITLE_CHARACTERS)
    description = Readable(required=False, max_length=limits.LIST_ROW_DESCRIPTION_CHARACTERS)


class ListSection(CamelCase):
    """Choices under a heading."""

    title = Readable(
        required=False, max_length=limits.LIST_SECTION_TITLE_CHARACTERS, help_text="Needed when there are several."
    )
    rows = serializers.ListField(child=ListRow(), min_length=1, max_length=limits.LIST_ROWS)


class Choices(Free):
    """A text with a button that opens a list of at most ten choices."""

    kind = Choice(choices=["list"])
    body = Readable(max_length=limits.LIST_BODY_CHARACTERS)
    button = Readable(max_length=limits.LIST_BUTTON_CHARACTERS)
    sections = serializers.ListField(child=ListSection(), min_length=1, max_length=limits.LIST_SECTIONS)
    header_text = Readable(required=False, max_length=limits.HEADER_CHARACTERS)
    footer = Readable(required=False, max_length=limits.FOOTER_CHARACTERS)

    def make(self, values: dict[str, Any]) -> outgoing.Content:
        """Return the message."""
        sections = tuple(
            outgoing.Section(title=section.get("title", ""), rows=tuple(outgoing.Row(**row) for row in section["rows"]))
            for section in values["sections"]
        )
        return outgoing.ListMessage(
            body=values["body"],
            button=values["button"],
            sections=sections,
            header=values.get("header_text"),
            footer=values.get("footer", ""),
        )


class AskLocation(Free):
    """A text with a button by which the citizen sends where they are."""

    kind = Choice(choices=["locationRequest"])
    body = Readable(max_length=limits.INTERACTIVE_BODY_CHARACTERS)

    def make(self, values: dict[str, Any]) -> outgoing.Content:
        """Return the message."""
        return outgoing.LocationRequest(body=values["body"])


class AskContact(Free):
    """A text with a button by which the citizen gives their phone number."""

    kind = Choice(choices=["contactRequest"])
    body = Readable(max_length=limits.INTERACTIVE_BODY_CHARACTERS)

    def make(self, values: dict[str, Any]) -> outgoing.Content:
        """Return the message."""
        return outgoing.ContactRequest(body=values["body"])


class Emoji(Free):
    """A reaction to a message of the citizen's, not older than 30 days."""

    kind = Choice(choices=["reaction"])
    message_id = Id(help_text="The message of the thread that it is about.")
    emoji = Pattern(
        STORABLE, max_length=limits.EMOJI_CHARACTERS, allow_blank=True, help_text="One emoji; empty takes ours away."
    )

    def make(self, values: dict[str, Any]) -> React:
        """Return the reaction."""
        return React(message_id=values["message_id"], emoji=values["emoji"])


KINDS: dict[str, type[Free]] = {
    "image": Image,
    "video": Video,
    "document": Document,
    "audio": Audio,
    "sticker": Sticker,
    "location": Place,
    "contacts": Cards,
    "buttons": Buttons,
    "list": Choices,
    "urlButton": PageButton,
    "locationRequest": AskLocation,
    "contactRequest": AskContact,
    "reaction": Emoji,
}


@extend_schema_field(
    PolymorphicProxySerializer(component_name="Content", serializers=KINDS, resource_type_field_name="kind", many=False)
)
class Content(serializers.Field):
    """A free-form message of any kind but text."""

    def to_internal_value(self, data: Any) -> outgoing.Content | React | Stored:
        """Return the message.  Raises ValidationError: with everything that is wrong in it, at once."""
        kind = data.get("kind") if isinstance(data, Mapping) else None
        shape = KINDS.get(kind) if isinstance(kind, str) else None
        if shape is None:
            raise serializers.ValidationError(
                {"kind": [serializers.ErrorDetail("Name a kind.", code="invalid_choice")]}
            )
        serializer = shape(data=data)
        serializer.is_valid(raise_exception=True)
        return serializer.make(dict(serializer.validated_data))


def _card(values: Mapping[str, Any]) -> outgoing.Card:
    given: dict[str, Any] = {name: tuple(part) if isinstance(part, list) else part for name, part in values.items()}
    given["phones"] = tuple((phone["phone"], phone.get("type", "")) for phone in values.get("phones", ()))
    return outgoing.Card(**given)
