"""Files of citizens, and of what was sent to them: what is known of one, and its bytes."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import Problem
from api.scopes import Scope
from api.tenant import shapes
from api.views import READ_METHODS, ApiView, JSONRenderer, not_found
from messaging.media import answering, showing
from messaging.models import Medium

DISPOSITION_PARAMETER = OpenApiParameter(
    "Content-Disposition",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="attachment, with a name to save it under.",
)


class BytesRenderer(BaseRenderer):
    """Lets a caller ask for bytes; what answers with them makes the answer itself."""

    media_type = "application/octet-stream"
    format = "bytes"
    charset = None
    render_style = "binary"

    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        """Refuse: errors are JSON, whatever is asked for."""
        raise NotImplementedError


class OneMedium(ApiView):
    """What is known of one file."""

    scope = Scope.MESSAGES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="getMedium", tags=["media"], summary="Read what is known of a file", responses=shapes.MediumShape
    )
    def get(self, request: Request, medium_id: UUID) -> Response:
        """Return it."""
        return Response(shapes.MediumShape(_medium(medium_id)).data)


class MediumContent(ApiView):
    """The bytes of one file."""

    scope = Scope.MESSAGES_READ
    renderer_classes = [JSONRenderer, BytesRenderer]
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="getMediumContent",
        tags=["media"],
        summary="Download a file",
        description=(
            "The bytes as WhatsApp gave them, checked against its digest. Heed `caution`: a file may be something else "
            "than it says it is. Each download is noted in the municipality's trail."
        ),
        parameters=[DISPOSITION_PARAMETER],
        responses={(200, BytesRenderer.media_type): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, medium_id: UUID) -> HttpResponseBase:
        """Return them, streamed."""
        medium = _medium(medium_id)
        try:
            answer = answering.original(
                request=request._request, medium=medium, actor=self.key.actor(), at=self.now, as_download=True
            )
        except showing.NotThere:
            detail = f"The file is {medium.state}: there is nothing to download."
            raise Problem(status=409, code="medium_not_stored", detail=detail) from None
        except showing.StorageAway:
            detail = "The file cannot be reached now."
            raise Problem(status=503, code="storage_away", detail=detail, headers={"Retry-After": "60"}) from None
        return answer


def _medium(medium_id: UUID) -> Medium:
    """Return a medium that a message shows.  Raises Problem: there is none."""
    medium = Medium.objects.filter(id=medium_id, messages__isnull=False).first()
    if medium is None:
        raise not_found("file")
    return medium
