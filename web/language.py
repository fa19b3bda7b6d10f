"""In which language a page is: as who is signed in chose, else as this browser was set, else Dutch.

What a browser asks for is not followed: in a Dutch town hall browsers are often set to English, their people are not.
Who is signed in chooses for their account, and leaves the browser as it was: another may work at it next.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts import languages
from accounts.models import User


class LanguageMiddleware:
    """Puts the language that the cookie names on the request, or Dutch."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap what comes after."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the language."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers["Content-Language"] = request.LANGUAGE_CODE
            return response


def follow(request: HttpRequest) -> None:
    """Go over to the language of who is signed in, once it is known who that is (web/visitor.py)."""
    user = getattr(request, "user", None)
    if isinstance(user, User) and user.language:
        translation.activate(user.language)  # until the middleware above has answered
        request.LANGUAGE_CODE = user.language


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Change the language, and go back to the page."""
    response = set_language(request)
    language, cookie = request.POST.get("language", ""), settings.LANGUAGE_COOKIE_NAME
    is_known, has_account = language in dict(settings.LANGUAGES), isinstance(request.user, User)
    if is_known and isinstance(request.user, User):
        languages.choose(user=request.user, language=language)
    if cookie in response.cookies and (has_account or not is_known):  # Django knows more languages than we have
        del response.cookies[cookie]
    return response
