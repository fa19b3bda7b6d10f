"""Messages of which nobody knows whether they were sent, and what somebody decides about them."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from api.paging import PageQuery, page
from api.reading import checked
from api.tenant import shapes
from api.tenant.choices import ChoiceShape, NewChoice
from api.tenant.refusals import as_problems
from api.views import READ_METHODS, ApiView, not_found
from messaging import uncertain
from messaging.listing import list_unsettled
from messaging.models import Message, UncertainChoice

CHOOSE = {
    UncertainChoice.Choice.SEND_AGAIN: uncertain.send_again,
    UncertainChoice.Choice.LEAVE: uncertain.leave,
}


class UncertainMessages(ApiView):
    """Messages that wait for somebody's decision."""

    scope = Scope.MESSAGES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="listUncertainMessages",
        tags=["messages"],
        summary="List the messages about which somebody must decide, oldest first",
        description=(
            "The connection broke while these were sent: WhatsApp may have them or not. One leaves the list when "
            "WhatsApp reports what became of it, whenever that is, or when somebody decides. Nothing is sent again by "
            "itself."
        ),
        parameters=[PageQuery],
        responses=shapes.MessagePage,
    )
    def get(self, request: Request) -> Response:
        """Return a page of messages."""
        query = checked(PageQuery, request.query_params)
        limit = query["limit"]
        rows = list_unsettled(after=query["cursor"], most=limit + 1)
        found = page(rows=rows, limit=limit, moment="stamped_at")
        return Response(shapes.MessagePage(found, context=self.sight()).data)


class Choose(ApiView):
    """The decision about one message."""

    scope = Scope.MESSAGES_SEND
    http_method_names = ["post"]

    @extend_schema(
        operation_id="chooseForMessage",
        tags=["messages"],
        summary="Send an uncertain message again, or leave it",
        description=(
            "SEND_AGAIN queues a new message with the same content, once however often this is asked; the citizen may "
            "get it twice. Should WhatsApp report before it leaves that the first one was sent after all, the new one "
            "is withdrawn: FAILED. The message itself stays UNCERTAIN until WhatsApp reports of it. A decision is "
            "made once: the other one is refused with `chosen_otherwise` after that, and with `not_uncertain` when it "
            "is known what became of the message. What may not be sent now is refused as a new message would be."
        ),
        request=NewChoice,
        responses={200: ChoiceShape},
    )
    def post(self, request: Request, message_id: UUID) -> Response:
        """Decide, and return the decision that stands."""
        choice = checked(NewChoice, request.data)["choice"]
        try:
            with as_problems():
                made = CHOOSE[choice](message_id=message_id, actor=self.key.actor(), at=self.now)
        except Message.DoesNotExist:
            raise not_found("message") from None
        return Response(ChoiceShape(made).data)
