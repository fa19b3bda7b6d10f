"""What citizens said about being written to first: recorded, and found again."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from api.reading import checked
from api.tenant import shapes
from api.tenant.refusals import as_problems
from api.views import ApiView
from messaging import consent, reaching
from messaging.models import Consent, Contact


class Consents(ApiView):
    """What citizens said elsewhere about being written to first."""

    scope = Scope.MESSAGES_SEND
    http_method_names = ["post"]

    @extend_schema(
        operation_id="recordConsent",
        tags=["consents"],
        summary="Record an opt-in or an opt-out",
        description=(
            "A template may go first only to a citizen who wrote before or agreed. Records that they agreed, or that "
            "they want no messages any more. Nothing is ever changed: the latest word, by saidAt, stands. Safe to "
            "repeat."
        ),
        request=shapes.NewConsent,
        responses={201: shapes.ConsentShape},
    )
    def post(self, request: Request) -> Response:
        """Record one word."""
        values = checked(shapes.NewConsent, request.data)
        wa_id, bsuid = ids(values["recipient"])
        with as_problems():
            kept = reaching.record_consent(
                wa_id=wa_id,
                bsuid=bsuid,
                word=Consent.Word(values["word"]),
                said=said(values),
                actor=self.key.actor(),
                at=self.now,
            )
        return Response(shapes.ConsentShape(kept).data, status=201)


class ConsentSearch(ApiView):
    """What was said about one citizen. A POST, because a phone number has no place in an address."""

    scope = Scope.MESSAGES_READ
    http_method_names = ["post"]

    @extend_schema(
        operation_id="searchConsents",
        tags=["consents"],
        summary="Find what a citizen said about being written to",
        description="The phone number or id goes in the body, so that it is in no address and no log. Changes nothing.",
        request=shapes.Person,
        responses={200: shapes.ConsentList},
    )
    def post(self, request: Request) -> Response:
        """Return everything, the latest first; nothing for a citizen who is not known here."""
        wa_id, bsuid = ids(checked(shapes.Person, request.data))
        names = {"wa_id": wa_id} if wa_id is not None else {"bsuid": bsuid}
        contact = Contact.objects.filter(**names).first()
        said = consent.history(contact=contact) if contact is not None else Consent.objects.none()
        return Response(shapes.ConsentList({"items": said}).data)


def said(values: dict[str, Any]) -> reaching.Said:
    """Return what a citizen said elsewhere, as the caller gave it."""
    return reaching.Said(how=values["how"], evidence=values["evidence"], at=values["said_at"])


def ids(person: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return wa_id and bsuid of a person, one of which is None."""
    phone = person.get("phone_number")
    return phone.removeprefix("+") if phone else None, person.get("bsuid")
