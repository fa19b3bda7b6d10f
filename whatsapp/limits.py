"""Meta's limits, each with its unit and source, and the error that says which one a message would break.

A limit is checked before Meta is called, so that a person hears at once, and in their own language, what to shorten.
Source of all, unless a line says otherwise: Meta's Cloud API reference pages as read 2026-11-22.
"""

# Characters of a text message's body.
TEXT_BODY_CHARACTERS = 4096
# Characters below an image, video or document. Commonly stated; not verified on a page of Meta's.
CAPTION_CHARACTERS = 1024
# Characters of a document's file name: our own bound, the longest name that file systems take.
FILENAME_CHARACTERS = 255
# Characters of the id we give along and get back in every status (raised by Meta from 256).
OUR_ID_CHARACTERS = 512
# Characters of a template's name; lower case letters, digits and underscores only.
TEMPLATE_NAME_CHARACTERS = 512
# Characters of a template's body, variables filled in; so no single variable can be longer.
TEMPLATE_BODY_CHARACTERS = 1024
# Characters of a template's header when it is text.
TEMPLATE_HEADER_CHARACTERS = 60
# Characters of a template's footer.
TEMPLATE_FOOTER_CHARACTERS = 60
# Buttons on one template.
TEMPLATE_BUTTONS = 10
# Characters of a link to media: our own bound, that of a template's URL button.
LINK_CHARACTERS = 2000

# Characters below an interactive message, and of its header when it is text.
FOOTER_CHARACTERS = 60
HEADER_CHARACTERS = 60
# Characters of an interactive message's text; of a list's.
INTERACTIVE_BODY_CHARACTERS = 1024
LIST_BODY_CHARACTERS = 4096
# Reply buttons on one message, and characters of each one's id and title.
REPLY_BUTTONS = 3
BUTTON_ID_CHARACTERS = 256
BUTTON_TITLE_CHARACTERS = 20
# Characters of the button that opens a list; sections of a list, and rows of all its sections together.
LIST_BUTTON_CHARACTERS = 20
LIST_SECTIONS = 10
LIST_ROWS = 10
LIST_SECTION_TITLE_CHARACTERS = 24
LIST_ROW_ID_CHARACTERS = 200
LIST_ROW_TITLE_CHARACTERS = 24
LIST_ROW_DESCRIPTION_CHARACTERS = 72
# Characters of a button that opens a page.
CTA_LABEL_CHARACTERS = 20
# Characters of a place's name and address: our own bounds, Meta names none.
LOCATION_NAME_CHARACTERS = 1000
LOCATION_ADDRESS_CHARACTERS = 1000
# Cards in one message, and characters of each part of a card: our own bounds, Meta names none.
CONTACT_CARDS = 20
CONTACT_PART_CHARACTERS = 1000
# Code points of one emoji, families and flags of regions included: our own bound.
EMOJI_CHARACTERS = 20
# Days after which a message takes no reaction, and can no longer be marked as read.
REACTION_DAYS = 30
READ_RECEIPT_DAYS = 30
# Of a template's buttons: characters of a coupon code, and of what a quick reply sends back (our own bound: a reply's).
TEMPLATE_COUPON_CHARACTERS = 15
TEMPLATE_PAYLOAD_CHARACTERS = 256

# Bytes of media that we may upload, by kind; a static sticker is the stricter case.
MEDIA_BYTES = {
    "audio": 16 * 1024 * 1024,
    "document": 100 * 1024 * 1024,
    "image": 5 * 1024 * 1024,
    "sticker": 500 * 1024,
    "video": 16 * 1024 * 1024,
}
STATIC_STICKER_BYTES = 100 * 1024
# The types of media that we may upload, by kind; of audio in Ogg only Opus with one channel.
_OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES = {
    "audio": frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
    "document": frozenset(
        {
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            _OFFICE + "wordprocessingml.document",
            _OFFICE + "spreadsheetml.sheet",
            _OFFICE + "presentationml.presentation",
        }
    ),
    "image": frozenset({"image/jpeg", "image/png"}),
    "sticker": frozenset({"image/webp"}),
    "video": frozenset({"video/mp4", "video/3gpp"}),
}
# Bytes of media that a citizen may send.
INBOUND_MEDIA_BYTES = 100 * 1024 * 1024
# Days that an id from a webhook, or of an upload, works.
INBOUND_MEDIA_DAYS = 7
UPLOADED_MEDIA_DAYS = 30


class LimitExceeded(ValueError):
    """A message breaks a limit of Meta's. `code` is stable: higher rooms translate it. Holds no content."""

    def __init__(self, code: str, limit: int, actual: int) -> None:
        super().__init__(f"{code}: {actual} exceeds {limit}")
        self.code = code
        self.limit = limit
        self.actual = actual


def check(*, code: str, limit: int, actual: int) -> None:
    """Do nothing when `actual` is within `limit`.  Raises LimitExceeded otherwise."""
    if actual > limit:
        raise LimitExceeded(code, limit, actual)
