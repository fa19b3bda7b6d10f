"""From where a request comes, told to the trail (audit/origin.py) for as long as the request is answered."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit.origin import acting_from


class OriginMiddleware:
    """Django's middleware; stands before whatever records."""

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
        with acting_from(_address(request)):
            return self.get_response(request)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with acting_from(_address(request)):
            answer: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]
            return answer


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR") or "unknown address")
