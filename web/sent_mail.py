"""In development: the mail that was sent, to be read where nothing leaves the machine (EMAIL_URL=file:…).

config/env.py refuses such an EMAIL_URL in production, and there these pages are not.
"""

import email
import email.policy
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

NEWEST = 50


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. to: empty when each got it out of the others' sight."""

    to: str
    subject: str
    date: str
    text: str


@require_safe
def sent_mail(request: HttpRequest) -> HttpResponse:
    """Show the newest mail, the latest first.  Raises Http404: mail leaves the machine, or this is production."""
    folder = settings.EMAIL_FILE_PATH
    if not settings.DEVELOPMENT or folder is None:
        raise Http404
    return render(request, "web/sent_mail.html", {"mails": _newest(Path(folder))})


def _newest(folder: Path) -> list[Mail]:
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)[:NEWEST]
    return [_read(path) for path in files]


def _read(path: Path) -> Mail:
    written = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    said = written.get_body(preferencelist=("plain",))  # beside it may be files
    text = said.get_content() if said is not None else ""
    return Mail(
        to=str(written["To"] or ""),
        subject=str(written["Subject"]),
        date=str(written["Date"]),
        text=text.split("\n" + "-" * 79)[0],
    )
