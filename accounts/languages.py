"""In which language somebody reads: as they chose, on the pages wherever they sign in, and in the mails to them.

Who never chose reads the pages as the browser was set (web/language.py), and mails as whoever had them sent.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import translation

from accounts.models import User


def choose(*, user: User, language: str) -> None:
    """Keep what somebody chose.  Raises ValueError: there are no pages in that language."""
    if language not in dict(settings.LANGUAGES):
        raise ValueError(f"no pages are in {language!r}")
    User.objects.filter(id=user.id).update(language=language)
    user.language = language


def language_for(*, user: User, otherwise: str) -> str:
    """Return the language for somebody, or another one when they never chose."""
    return user.language or otherwise


@contextmanager
def written_for(*, user: User) -> Iterator[None]:
    """Have texts made in somebody's language."""
    in_use = translation.get_language() or settings.LANGUAGE_CODE
    with translation.override(language_for(user=user, otherwise=in_use)):
        yield
