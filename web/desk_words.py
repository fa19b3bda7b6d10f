"""The words of the pages on which agents work together: labels, canned replies, composing, what was refused and why."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTIONS: dict[str, Promise] = {
    "canned.change": _("Canned reply changed"),
    "canned.make": _("Canned reply made"),
    "canned.remove": _("Canned reply removed"),
    "label.change": _("Label changed"),
    "label.make": _("Label made"),
    "label.remove": _("Label removed"),
    "message.reveal": _("Masked number shown in full"),
    "note.reveal": _("Masked number in a note shown in full"),
    "office.closed_answer": _("Answer while closed changed"),
    "thread.label": _("Labels of a conversation changed"),
}
# What a masked number seems to be (messaging/sensitive.py).
HIDDEN: dict[str, Promise] = {
    "BSN": _("a citizen service number (BSN)"),
    "CARD": _("a payment card number"),
    "IBAN": _("a bank account number (IBAN)"),
}
COLOURS: dict[str, Promise] = {
    "PLAIN": _("Grey"),
    "INFO": _("Blue"),
    "GOOD": _("Green"),
    "WARNING": _("Orange"),
    "BAD": _("Red"),
    "ACCENT": _("Purple"),
}
# Offered where the municipality wrote no safe route of its own.
SAFE_ROUTE: Promise = _(
    "For your safety: please do not send personal numbers such as your BSN, bank account or card by WhatsApp. "
    "We have not used it. You can give us such details safely by DigiD on our website, by telephone or at the desk."
)
# What an agent finds beside the text; by its sign and its name.
EMOJI: tuple[tuple[str, Promise], ...] = (
    ("🙂", _("Smile")),
    ("😊", _("Friendly smile")),
    ("🙏", _("Thank you")),
    ("👍", _("Thumbs up")),
    ("👋", _("Wave")),
    ("🎉", _("Congratulations")),
    ("❤️", _("Heart")),
    ("✅", _("Check mark")),
    ("⚠️", _("Warning")),
    ("📎", _("Paper clip")),
    ("📍", _("Place")),
    ("📅", _("Calendar")),
    ("📞", _("Telephone")),
    ("🪪", _("Identity card")),
    ("🗑️", _("Waste")),
    ("🚧", _("Road works")),
)
LABEL_REFUSALS: dict[str, Promise] = {
    "LabelNameTaken": _("There is a label of this name already."),
    "BadLabel": _("Give the label a name, of at most 30 characters, and choose a colour."),
    "TooManyLabels": _("There are 100 labels already. Remove one first."),
}
CANNED_REFUSALS: dict[str, Promise] = {
    "shortcut": _("A shortcut has small letters, digits and hyphens only, 30 at most."),
    "shortcut_taken": _("Another reply has this shortcut already."),
    "title": _("Give the reply a title, of at most 80 characters."),
    "text": _("Write the text, of at most 4,096 characters."),
    "placeholder": _("Between braces only naam, medewerker, gemeente and zaaknummer can stand."),
    "too_many": _("There are 200 replies already. Remove one first."),
}
# Why what an agent composed was not sent, beside what whatsapp/texts.py says of it.
COMPOSE_REFUSALS: dict[str, Promise] = {
    "file_and_choices": _("Send either a file or choices, not both in one message."),
    "two_choices": _("Send either buttons or a list, not both in one message."),
    "media_empty": _("This file is empty. Choose another one."),
    "media_too_large": _(
        "This file is too large for WhatsApp. Choose a smaller one: a picture of 5 MB, others of 16 MB."
    ),
    "media_type_not_allowed": _("WhatsApp does not take files of this kind. Send a PDF or a picture instead."),
    "media_type_differs": _("This file is something else than its name says. It was not sent."),
    "media_dangerous": _("This file can harm a computer. It was not sent."),
    "medium_not_stored": _("The file could not be kept. Try it again."),
    "medium_unfit": _("WhatsApp does not take this file. Choose another one."),
    "medium_refused": _("WhatsApp did not take this file. Choose another one."),
    "number_cannot_upload": _("This number is not connected to WhatsApp now, so no file can be sent."),
    "meta_unreachable": _("WhatsApp could not be reached. Nothing was sent; try again in a moment."),
}
# Why something that agents do together was refused, by our own codes and exceptions.
DESK_REFUSALS: dict[str, Promise] = {
    "taken": _("A colleague has taken this conversation meanwhile. You can still take it over under Hand over."),
    "no_answerer": _("This colleague cannot answer citizens here. Choose another one."),
    "BadNote": _("Write a note of at most 4,000 characters."),
    "BadCaseNumber": _("A case number has letters, digits, spaces and the characters . / - only, 60 at most."),
    "BadMoment": _("Choose a moment in the coming 90 days."),
}
SNOOZES: dict[str, Promise] = {
    "1h": _("For an hour"),
    "4h": _("For four hours"),
    "tomorrow": _("Until tomorrow, 9 o'clock"),
    "week": _("Until Monday, 9 o'clock"),
}
