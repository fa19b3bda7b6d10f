"""The addresses of a municipality's API: read the request, make one domain call, shape the answer."""

import re
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from api import idempotency
from api.paging import PageQuery, page
from api.problems import Problem
from api.reading import checked, made, months_of
from api.tenant import shapes
from api.tenant.consents import ids, said
from api.tenant.contents import Stored
from api.tenant.fillings import filling
from api.tenant.refusals import as_problems
from api.version import BASE_PATH
from api.views import READ_METHODS, ApiView, not_found
from audit.record import written_last
from billing.usage import usage
from messaging import consent, opening, reaching
from messaging.attaching import Attached
from messaging.listing import ThreadFilter, list_messages, list_threads
from messaging.models import Message, Template, Thread
from messaging.templates import sending
from whatsapp.outgoing import Text

IDEMPOTENCY_HEADER = "Idempotency-Key"
IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
IDEMPOTENCY_PARAMETER = OpenApiParameter(
    IDEMPOTENCY_HEADER,
    {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"},
    OpenApiParameter.HEADER,
    description=(
        "Your own name of this request, such as a UUID. For 24 hours the same key with the same body is answered as "
        "the first time and sends nothing again; with another body it is refused with 409."
    ),
)
REPLAYED_PARAMETER = OpenApiParameter(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[201],
    description="Present when this is the answer of an earlier request with the same key.",
)
LOCATION_PARAMETER = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    response=[201],
    description="Where the message is.",
)


class Messages(ApiView):
    """Messages to send."""

    scope = Scope.MESSAGES_SEND
    http_method_names = ["post"]

    @extend_schema(
        operation_id="sendMessage",
        tags=["messages"],
        summary="Send a message",
        description=(
            "Queues one message, to an open thread or to a citizen. A text or content is only allowed while the "
            "service window is open, 24 hours from the citizen's last message; outside it send a template. Give both, "
            "and the text or content is sent where it is allowed and the template otherwise."
        ),
        parameters=[IDEMPOTENCY_PARAMETER, REPLAYED_PARAMETER, LOCATION_PARAMETER],
        request=shapes.NewMessage,
        responses={201: shapes.MessageShape},
    )
    def post(self, request: Request) -> Response:
        """Queue a message, once for each Idempotency-Key."""
        values = checked(shapes.NewMessage, request.data)
        if isinstance(values.get("content"), Stored):
            # Before any transaction: a medium that WhatsApp does not know yet is uploaded to it.
            values["content"] = self._attached(values["content"], values)
        name = request.headers.get(IDEMPOTENCY_HEADER)
        if name is None:
            with transaction.atomic(), written_last():
                return _created(self._send(values))
        if not IDEMPOTENCY_KEY.fullmatch(name):
            raise serializers.ValidationError({IDEMPOTENCY_HEADER: ["Give 1 to 255 visible ASCII characters."]})
        try:
            answer = idempotency.once(
                api_key=self.key,
                idempotency_key=name,
                request_hash=idempotency.request_hash(address=request.path, body=request.data),
                at=self.now,
                do=lambda: self._send(values),
            )
        except idempotency.BodyDiffers:
            detail = f"This {IDEMPOTENCY_HEADER} was used for another message; choose a new one."
            raise Problem(status=409, code="idempotency_key_reused", detail=detail) from None
        except idempotency.UnderWay:
            raise Problem(
                status=409,
                code="request_under_way",
                detail="The same request is under way; repeat it in a moment.",
                headers={"Retry-After": "1"},
            ) from None
        return _created(answer)

    def _send(self, values: dict[str, Any]) -> idempotency.Answer:
        """Queue the message, within a transaction."""
        with as_problems():
            message = reaching.send(
                to=self._addressee(values),
                content=Text(body=values["text"]) if "text" in values else values.get("content"),
                template=_template(values["template"]) if "template" in values else None,
                actor=self.key.actor(),
                at=self.now,
                reply_to=values.get("reply_to_message_id"),
                opt_in=said(values["opt_in"]) if "opt_in" in values else None,
            )
        shape = made(shapes.MessageShape, unmasked=True)
        return idempotency.Answer(status=201, body=shape.to_representation(message))

    def _attached(self, stored: Stored, values: dict[str, Any]) -> Attached:
        with as_problems():
            to = self._addressee(values)
            return reaching.attached(attach=stored.attach, kind=stored.kind, to=to, at=self.now)

    def _addressee(self, values: dict[str, Any]) -> UUID | reaching.Person:
        if "thread_id" in values:
            thread_id: UUID = values["thread_id"]
            return thread_id
        recipient = values["recipient"]
        number = reaching.number_of(municipality_id=self.municipality_id, phone_number_id=values.get("phone_number_id"))
        wa_id, bsuid = ids(recipient)
        return reaching.Person(wa_id=wa_id, bsuid=bsuid, phone_number_id=number)


def _template(values: dict[str, Any]) -> reaching.TemplateChoice:
    return reaching.TemplateChoice(name=values["name"], language=values["language"], filling=filling(values))


def _created(answer: idempotency.Answer) -> Response:
    headers = {"Location": f"{BASE_PATH}/messages/{answer.body['id']}"}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, status=answer.status, headers=headers)


class OneMessage(ApiView):
    """One message."""

    scope = Scope.MESSAGES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="getMessage", tags=["messages"], summary="Read a message", responses=shapes.MessageShape
    )
    def get(self, request: Request, message_id: UUID) -> Response:
        """Return the message."""
        message = Message.objects.select_related("medium", "choice").filter(id=message_id).first()
        if message is None:
            raise not_found("message")
        return Response(shapes.MessageShape(message, context=self.sight()).data)


class Threads(ApiView):
    """Threads, the last spoken in first."""

    scope = Scope.MESSAGES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="listThreads",
        tags=["threads"],
        summary="List threads, the last spoken in first",
        parameters=[shapes.ThreadQuery],
        responses=shapes.ThreadPage,
    )
    def get(self, request: Request) -> Response:
        """Return a page of threads."""
        query = checked(shapes.ThreadQuery, request.query_params)
        limit, after = query.pop("limit"), query.pop("cursor")
        rows = list_threads(chosen=ThreadFilter(**query), after=after, most=limit + 1)
        found = page(rows=rows, limit=limit, moment="last_message_at")
        return Response(shapes.ThreadPage(found, context=_context(rows)).data)


class ThreadSearch(ApiView):
    """Threads of one citizen. A POST, because a phone number has no place in an address."""

    scope = Scope.MESSAGES_READ
    http_method_names = ["post"]

    @extend_schema(
        operation_id="searchThreads",
        tags=["threads"],
        summary="Find the threads of a citizen",
        description="The phone number or id goes in the body, so that it is in no address and no log. Changes nothing.",
        parameters=[PageQuery],
        request=shapes.Person,
        responses={200: shapes.ThreadPage},
    )
    def post(self, request: Request) -> Response:
        """Return a page of a citizen's threads."""
        query = checked(PageQuery, request.query_params)
        wa_id, bsuid = ids(checked(shapes.Person, request.data))
        chosen = ThreadFilter(wa_id=wa_id, bsuid=bsuid)
        limit = query["limit"]
        rows = list_threads(chosen=chosen, after=query["cursor"], most=limit + 1)
        opening.record_search(found=len(rows[:limit]), actor=self.key.actor(), at=self.now)
        found = page(rows=rows, limit=limit, moment="last_message_at")
        return Response(shapes.ThreadPage(found, context=_context(rows)).data)


class OneThread(ApiView):
    """One thread."""

    scope = Scope.MESSAGES_READ
    http_method_names = READ_METHODS

    @extend_schema(operation_id="getThread", tags=["threads"], summary="Read a thread", responses=shapes.ThreadShape)
    def get(self, request: Request, thread_id: UUID) -> Response:
        """Return the thread."""
        thread = Thread.objects.select_related("contact").filter(id=thread_id).first()
        if thread is None:
            raise not_found("thread")
        return Response(shapes.ThreadShape(thread, context=_context([thread])).data)


def _context(threads: list[Thread]) -> dict[str, Any]:
    """Return what the shapes of threads look up beside them, for all of them at once."""
    return {"consents": consent.standings(contact_ids=[thread.contact_id for thread in threads])}


class ThreadMessages(ApiView):
    """The messages of one thread."""

    scope = Scope.MESSAGES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="listThreadMessages",
        tags=["threads"],
        summary="List a thread's messages, oldest first",
        parameters=[PageQuery],
        responses=shapes.MessagePage,
    )
    def get(self, request: Request, thread_id: UUID) -> Response:
        """Return a page of messages."""
        query = checked(PageQuery, request.query_params)
        if not Thread.objects.filter(id=thread_id).exists():
            raise not_found("thread")
        limit = query["limit"]
        rows = list_messages(thread_id=thread_id, after=query["cursor"], most=limit + 1)
        opening.record_reading(thread_id=thread_id, actor=self.key.actor(), at=self.now)
        found = page(rows=rows, limit=limit, moment="stamped_at")
        return Response(shapes.MessagePage(found, context=self.sight()).data)


class Templates(ApiView):
    """The municipality's templates."""

    scope = Scope.TEMPLATES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="listTemplates",
        tags=["templates"],
        summary="List templates",
        parameters=[shapes.TemplateQuery],
        responses=shapes.TemplateList,
    )
    def get(self, request: Request) -> Response:
        """Return all templates: a municipality has tens of them."""
        query = checked(shapes.TemplateQuery, request.query_params)
        found = list(Template.objects.filter(**query).order_by("name", "language", "id"))
        refusals = sending.refusals(templates=found, at=self.now)
        return Response(shapes.TemplateList({"items": found}, context={"refusals": refusals}).data)


class OneTemplate(ApiView):
    """One template."""

    scope = Scope.TEMPLATES_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="getTemplate", tags=["templates"], summary="Read a template", responses=shapes.TemplateShape
    )
    def get(self, request: Request, template_id: UUID) -> Response:
        """Return the template."""
        template = Template.objects.filter(id=template_id).first()
        if template is None:
            raise not_found("template")
        refusals = sending.refusals(templates=[template], at=self.now)
        return Response(shapes.TemplateShape(template, context={"refusals": refusals}).data)


class Usage(ApiView):
    """What the municipality used."""

    scope = Scope.USAGE_READ
    http_method_names = READ_METHODS

    @extend_schema(
        operation_id="listUsage",
        tags=["usage"],
        summary="Count conversations by month and category",
        description=(
            "Conversations as they are metered and invoiced, by the month, in Europe/Amsterdam, in which each opened. "
            "The figures of a month may still change until its invoice is reviewed."
        ),
        parameters=[shapes.UsageQuery],
        responses=shapes.UsageList,
    )
    def get(self, request: Request) -> Response:
        """Return the counts."""
        first, last = months_of(checked(shapes.UsageQuery, request.query_params), at=self.now)
        rows = usage(first=first, last=last, municipality_id=self.municipality_id)
        return Response(shapes.UsageList({"items": rows}).data)
