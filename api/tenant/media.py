"""Files of citizens, and of what was sent to them: what is known of one, and its bytes."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from api.fields import CamelCase, Choice
from api.problems import Problem
from api.reading import checked
from api.tenant import shapes
from api.version import BASE_PATH
from api.views import READ_METHODS, ApiView, JSONRenderer, not_found
from messaging.media import answering, showing, uploading
from messaging.models import Medium
from whatsapp import limits

LONGEST_NAME = 240  # as WhatsApp shows a document's
FILE_NAME_PARAMETER = OpenApiParameter(
    "Content-Disposition",
    str,
    OpenApiParameter.HEADER,
    description="The file's name, as `attachment; filename*=UTF-8''Besluit.pdf`: here, because addresses are logged.",
)
LOCATION_PARAMETER = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    response=[201],
    description="Where the file is.",
)
UNFIT = {
    "media_empty": "The file is empty.",
    "media_too_large": "The file is too large for what it is; WhatsApp takes at most",
    "media_type_not_allowed": "WhatsApp takes no files of this type, or not as this kind.",
    "media_type_differs": "The file is something else than it says it is, or is broken.",
    "media_dangerous": "The file could harm the computer on which it is opened.",
}
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


class BytesParser(BaseParser):
    """Takes a body as it comes, unread: it is read, counted and encrypted where it is stored."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the body's stream."""
        return {"content": stream}


class NewMedium(CamelCase):
    """What is said of a file beside its bytes."""

    kind = Choice(
        choices=sorted(limits.MEDIA_TYPES),
        required=False,
        help_text="What to send it as; absent: what follows from its content, such as image for a JPEG.",
    )


class Media(ApiView):
    """Files to send."""

    scope = Scope.MESSAGES_SEND
    http_method_names = ["post"]
    parser_classes = [BytesParser]

    @extend_schema(
        operation_id="uploadMedium",
        tags=["media"],
        summary="Upload a file to send",
        description=(
            "The body is the file itself. It is judged by its content, and refused where WhatsApp would not take it. "
            "Nothing is sent yet: name its id as `mediumId` in a message. A repeated upload stores another file."
        ),
        parameters=[NewMedium, FILE_NAME_PARAMETER, LOCATION_PARAMETER],
        request={BytesRenderer.media_type: OpenApiTypes.BINARY},
        responses={201: shapes.MediumShape},
    )
    def post(self, request: Request) -> Response:
        """Store the file."""
        query = checked(NewMedium, request.query_params)
        try:
            medium = uploading.store_upload(
                content=request.data.get("content") or BytesIO(),  # nothing is parsed of an empty body
                filename=_file_name(request),
                declared_type=_declared_type(request),
                kind=query.get("kind"),
                actor=self.key.actor(),
                at=self.now,
            )
        except uploading.UnfitUpload as error:
            status = 413 if error.code == "media_too_large" else 409
            detail = UNFIT[error.code] if error.limit is None else f"{UNFIT[error.code]} {error.limit} bytes."
            raise Problem(status=status, code=error.code, detail=detail) from None
        return Response(
            shapes.MediumShape(medium, context={"unmasked": True}).data,
            status=201,
            headers={"Location": f"{BASE_PATH}/media/{medium.id}"},
        )


class OneMedium(ApiView):
    """What is known of one file."""

    scope = Scope.MESSAGES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="getMedium", tags=["media"], summary="Read what is known of a file", responses=shapes.MediumShape
    )
    def get(self, request: Request, medium_id: UUID) -> Response:
        """Return it."""
        return Response(shapes.MediumShape(_medium(medium_id), context=self.sight()).data)


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


def _file_name(request: Request) -> str:
    """Return the name in Content-Disposition, or none; one that cannot be read is none."""
    try:
        _, given = parse_header_parameters(request.headers.get("Content-Disposition", ""))
    except ValueError:
        return ""
    return given.get("filename", "").replace("\0", "")[-LONGEST_NAME:]


def _declared_type(request: Request) -> str:
    """Return what the caller says that it is; "bytes" says nothing."""
    given = (request.content_type or "").partition(";")[0].strip().lower()
    return "" if given == BytesRenderer.media_type else given


def _medium(medium_id: UUID) -> Medium:
    """Return a medium.  Raises Problem: there is none."""
    medium = Medium.objects.filter(id=medium_id).first()
    if medium is None:
        raise not_found("file")
    return medium
