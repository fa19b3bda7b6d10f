"""What a citizen sees beside messages: that theirs were read, and that somebody is typing."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from api.views import ApiView, not_found
from messaging import noticing
from messaging.models import Thread


class MarkRead(ApiView):
    """That a thread was read."""

    scope = Scope.MESSAGES_SEND
    http_method_names = ["post"]

    @extend_schema(
        operation_id="markThreadRead",
        tags=["threads"],
        summary="Show the citizen that their messages were read",
        description=(
            "Blue ticks at all that the citizen wrote so far, within a moment, unless messages keep the number busy. "
            "Safe to repeat. WhatsApp takes it for 30 days after the last message; later it does nothing."
        ),
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, thread_id: UUID) -> Response:
        """Mark the thread as read."""
        try:
            noticing.mark_read(thread_id=thread_id, at=self.now)
        except Thread.DoesNotExist:
            raise not_found("thread") from None
        return Response(status=204)


class ShowTyping(ApiView):
    """That somebody is typing."""

    scope = Scope.MESSAGES_SEND
    http_method_names = ["post"]

    @extend_schema(
        operation_id="showTyping",
        tags=["threads"],
        summary="Show the citizen that an answer is being typed",
        description=(
            "Shown for at most 25 seconds, or until the answer comes; repeat it while typing goes on. Marks the thread "
            "as read, too. Does nothing while the service window is closed."
        ),
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, thread_id: UUID) -> Response:
        """Show that somebody types."""
        try:
            noticing.show_typing(thread_id=thread_id, at=self.now)
        except Thread.DoesNotExist:
            raise not_found("thread") from None
        return Response(status=204)
