"""What every answer below /api/ carries, whoever gives it: version, safety headers, and errors as problems.

It stands before all other middleware, because an unknown host or an unforeseen error is answered by those.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from api.problems import CONTENT_TYPE, http_problem
from api.version import VERSION

PREFIX = "/api/"
HEADERS = {
    "API-Version": VERSION,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # Said by every answer, as the API Design Rules want it; over plain HTTP a client ignores it.
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class ApiMiddleware:
    """Django's middleware for the addresses of the API; all others pass untouched."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer one request, in the way in which the server asks for it."""
        if iscoroutinefunction(self.get_response):
            return self._answer_async(request)
        answer = self.get_response(request)
        assert isinstance(answer, HttpResponseBase)
        return _dressed(request, answer)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        answer = await self.get_response(request)  # type: ignore[misc]
        return _dressed(request, answer)


def _dressed(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    if not request.path_info.startswith(PREFIX):
        return answer
    if answer.status_code >= 400 and answer.headers.get("Content-Type") != CONTENT_TYPE:
        kept = {name: answer.headers[name] for name in ("Allow", "Retry-After") if name in answer.headers}
        answer = http_problem(status=answer.status_code)
        for name, value in kept.items():
            answer.headers[name] = value
        if request.method == "HEAD" and isinstance(answer, HttpResponse):
            answer.content = b""
    for name, value in HEADERS.items():
        # A page with its own policy keeps it.
        if name != "Content-Security-Policy" or name not in answer.headers:
            answer.headers[name] = value
    for name in ("Content-Language", "Set-Cookie"):
        if name in answer.headers:
            del answer.headers[name]
    answer.cookies.clear()
    return answer
