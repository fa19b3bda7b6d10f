"""What an agent composed in the form of a thread: read once, made into what WhatsApp sends, shown again.

A text, with a file or with choices; in answer to one message or to none. Whether WhatsApp would take it is said by
whatsapp/outgoing.
"""

from dataclasses import dataclass, field
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from whatsapp.outgoing import Button, Content, ListMessage, ReplyButtons, Row, Section, Text

MOST_BUTTONS = 3


class NoForm(ValueError):
    """No form of ours sends this."""


class BadMixture(ValueError):
    """What was composed is no one message. code: file_and_choices, two_choices."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Composed:
    """One message as it stands in the form."""

    text: str = ""
    answers: UUID | None = None  # our id of the message that it answers
    buttons: tuple[str, ...] = ("",) * MOST_BUTTONS
    list_button: str = ""
    list_rows: str = ""  # a choice a line: "title" or "title | what it is"
    file: "UploadedFile[bytes] | None" = field(default=None, repr=False)

    @classmethod
    def read(cls, request: HttpRequest) -> "Composed":
        """Return what stands in the form that was sent.  Raises NoForm."""
        given = request.POST.get("answers", "")
        try:
            answers = UUID(given) if given else None
        except ValueError as error:
            raise NoForm from error
        buttons = [title.strip() for title in request.POST.getlist("button")[:MOST_BUTTONS]]
        return cls(
            text=request.POST.get("text", "").replace("\r\n", "\n").strip(),
            answers=answers,
            buttons=tuple([*buttons, "", "", ""][:MOST_BUTTONS]),
            list_button=request.POST.get("list_button", "").strip(),
            list_rows=request.POST.get("list_rows", "").replace("\r\n", "\n").strip(),
            file=request.FILES.get("file"),
        )

    @property
    def has_choices(self) -> bool:
        """Return whether it asks the citizen for a tap."""
        return any(self.buttons) or bool(self.list_button or self.list_rows)

    def content(self) -> Content:
        """Return what is sent where there is no file.  Raises BadMixture."""
        titles = [title for title in self.buttons if title]
        if titles and (self.list_button or self.list_rows):
            raise BadMixture("two_choices")
        if titles:
            buttons = [Button(id=f"choice-{place}", title=title) for place, title in enumerate(titles, start=1)]
            return ReplyButtons(body=self.text, buttons=buttons)
        if self.list_button or self.list_rows:
            return ListMessage(body=self.text, button=self.list_button, sections=[Section(rows=self._rows())])
        return Text(body=self.text)

    def _rows(self) -> list[Row]:
        rows = []
        for place, line in enumerate(filter(str.strip, self.list_rows.split("\n")), start=1):
            title, _, description = line.partition("|")
            rows.append(Row(id=f"choice-{place}", title=title.strip(), description=description.strip()))
        return rows
