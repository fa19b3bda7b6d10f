"""Who asks, found out before anything else can go wrong.

Under ASGI Django makes its error pages in a thread other than the request's. The database connection of that thread is
in no municipality's schema: looked up there, a session of this host would be unknown, so that who met a wrong address
would be signed out, and one of the console's would be known on every host.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from web import language
from web.access import permissions


class VisitorMiddleware:
    """Looks up who has the session's cookie, what they may do, in which language; who sends none costs nothing."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        """Wrap what comes after."""
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer one request, in the way in which the server asks for it."""
        if iscoroutinefunction(self.get_response):
            return self._answer_async(request)
        if _has_session(request):
            permissions(request)
            language.follow(request)
        return self.get_response(request)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        if _has_session(request):
            await sync_to_async(permissions, thread_sensitive=True)(request)
            language.follow(request)
        answer: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]
        return answer


def _has_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES
