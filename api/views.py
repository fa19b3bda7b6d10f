"""What every view of the REST API has in common: who calls, what the key may do, and how errors are answered."""

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import authentication, exceptions, parsers, permissions, renderers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.keys import find_key, may_come_from, note_use
from accounts.models import ApiKey
from accounts.permissions import OF_SCOPES
from accounts.scopes import Scope
from api import limits
from api.problems import CONTENT_TYPE, Problem, answer_error
from audit.record import record
from tenants import clock

MOST_BYTES = 256 * 1024  # the longest message, with room to spare
READ_METHODS = ["get", "head"]


class KeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer wak_…`, looked up in the schema of the request's host alone."""

    def authenticate(self, request: Request) -> tuple[ApiKey, None] | None:
        """Return the key, or None when none was sent.  Raises AuthenticationFailed: it opens nothing here."""
        words = request.META.get("HTTP_AUTHORIZATION", "").split()
        if not words or words[0].lower() != "bearer":
            return None
        at = clock.now()
        key = find_key(secret=words[1], at=at) if len(words) == 2 else None
        if key is None:
            raise exceptions.AuthenticationFailed
        return key, None

    def authenticate_header(self, request: Request) -> str:
        """Return what WWW-Authenticate says, so that DRF answers 401."""
        return "Bearer"


class KeyInOpenApi(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document calls the key."""

    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the security scheme."""
        return {"type": "http", "scheme": "bearer", "description": "A key of this host: wak_…"}


class HasScope(permissions.BasePermission):
    """The key has the scope that the view names for the method."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether it has; an operation whose scope is no permission of the table is nobody's."""
        assert isinstance(view, ApiView)
        scope = view.scope_of(request.method or "")
        if not isinstance(request.user, ApiKey):
            return False
        if scope in OF_SCOPES and scope in request.user.scopes:
            return True
        _record_denied(request, view, scope)
        return False


def _record_elsewhere(key: ApiKey, at: datetime) -> None:
    """Have the trail know, at most once a minute, that a key was used from where it may not; it says from where."""
    if cache.add(f"api-key-elsewhere:{key.pk}", 1, timeout=60):
        details = {"refused": "address", "prefix": key.previous_prefix if key.shows_previous else key.prefix}
        subject = f"api key {key.pk}"
        record(action="api.call", actor=key.actor(), at=at, subject=subject, outcome="DENIED", details=details)


def _record_denied(request: Request, view: "ApiView", scope: str) -> None:
    """Have the trail know that a key tried what it may not; by the operation's name, which holds no ids."""
    details = {"scope": scope, "method": request.method or ""}
    subject = f"operation {type(view).__name__}"
    actor = request.user.actor()
    record(action="api.call", actor=actor, at=view.now, subject=subject, outcome="DENIED", details=details)


class JSONRenderer(renderers.JSONRenderer):
    """JSON in UTF-8; problems keep their own content type."""

    charset = None
    ensure_ascii = False


class JSONParser(parsers.JSONParser):
    """JSON of a bounded size; NaN and Infinity are none."""

    strict = True

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the parsed body.  Raises Problem: it is too large. ParseError: it is no JSON."""
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise Problem(status=413, code="too_large", detail=f"A body may be {MOST_BYTES} bytes long.")
        try:
            parsed: dict[str, Any] = super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError from error
        return parsed


class DocumentedView(AutoSchema):
    """How a view is written in the OpenAPI document."""

    def _get_serializer_name(self, serializer: Any, direction: Any, *arguments: Any, **options: Any) -> str:
        """Return the name of a shape without its last word, which is ours alone."""
        name: str = super()._get_serializer_name(serializer, direction, *arguments, **options)
        return name.removesuffix("Shape")


class ApiView(APIView):
    """A view that needs a key.

    scope: what the key must be allowed. scopes: the same for single methods, where they differ.
    """

    scope = ""
    scopes: dict[str, str] = {}
    authentication_classes = [KeyAuthentication]
    permission_classes = [HasScope]
    renderer_classes = [JSONRenderer]
    parser_classes = [JSONParser]
    schema = DocumentedView()

    def scope_of(self, method: str) -> str:
        """Return the scope that a method needs."""
        return self.scopes.get(method, self.scope)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer in English whatever language a browser asks for: these texts are for developers."""
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Find out who calls, then count it: before it is looked at what the key may do, or what was sent.

        Raises Problem: the key, or all keys of this host together, asked too much; or not from where it may.
        """
        super().perform_authentication(request)
        key = request.user
        if not isinstance(key, ApiKey):
            return
        # First, and uncounted: who found a key must not use up what its system may ask.
        if not may_come_from(key=key, address=str(request.META.get("REMOTE_ADDR"))):
            _record_elsewhere(key, self.now)
            detail = "This key may not be used from this address."
            raise Problem(status=403, code="address_not_allowed", detail=detail)
        allowance = limits.take(schema_name=connection.schema_name, key_id=key.id)  # type: ignore[attr-defined]
        self._limit_headers = allowance.headers
        if not allowance.is_allowed:
            detail = "The key, or all keys of this host together, asked too much. Wait as Retry-After says."
            raise Problem(status=429, code="too_many_requests", detail=detail)
        note_use(key=key, at=self.now)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Return what turns errors into problems."""
        return answer_error

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Let a problem have its own content type whatever the caller accepts."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if isinstance(answer, Response) and answer.status_code >= 400:
            answer.content_type = CONTENT_TYPE
            answer.accepted_renderer = JSONRenderer()
        for name, value in getattr(self, "_limit_headers", {}).items():
            answer.headers[name] = value
        return answer

    def sight(self) -> dict[str, Any]:
        """Return the context of the shapes of messages: whether the key may see numbers in full, and who asks."""
        return {"request": self.request, "unmasked": Scope.MESSAGES_UNMASK in self.key.scopes}

    @property
    def key(self) -> ApiKey:
        """The key that calls."""
        key = self.request.user
        assert isinstance(key, ApiKey)
        return key

    @property
    def municipality_id(self) -> UUID:
        """The municipality on whose host the request came in."""
        municipality_id: UUID = self.request.tenant.id
        return municipality_id

    @property
    def now(self) -> datetime:
        """The moment of the request in domain time, the same whenever it is asked."""
        if not hasattr(self, "_now"):
            self._now = clock.now()
        return self._now


def not_found(what: str) -> Problem:
    """Return the problem that there is no such thing here; the same whether it never was or is another's."""
    return Problem(status=404, code="not_found", detail=f"There is no such {what}.")
