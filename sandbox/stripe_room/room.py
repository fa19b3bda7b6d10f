"""Stripe's doors under `/stripe/v1/…`: authentication, parameters, idempotency keys and faults around the books."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox.stripe_room import parameters
from sandbox.stripe_room.books import Books, Refused, Thing
from sandbox.stripe_room.telling import Teller

KEY_BEGINS = "sk_test_"
FAULTS = {"rate_limit", "error_500_before", "error_500_after_commit", "timeout_after_commit", "cut_after_commit"}
HANG_SECONDS = 20.0


@dataclass(slots=True)
class Kept:
    """What was answered under an idempotency key: it is answered again, a 500 too."""

    asked: tuple[str, str, str]
    status: int
    body: Thing


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `count` requests of one operation, as `POST invoices/finalize`, or of any: `*`."""

    kind: str
    operation: str
    count: int


@dataclass(slots=True)
class Room:
    """One account at Stripe, its webhooks, and what is to go wrong."""

    books: Books = field(default_factory=Books)
    teller: Teller = field(default_factory=Teller)
    keys: dict[str, Kept] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Begin a new account."""
        self.books, self.teller, self.keys = Books(), Teller(), {}
        self.faults, self.requests = [], []

    def routes(self) -> list[BaseRoute]:
        """Return Stripe's doors."""
        return [
            Mount("/stripe/v1", routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "DELETE"])]),
        ]

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path_params["path"].strip("/")
        raw = (await request.body()).decode()
        operation = f"{request.method} {_named(path)}"
        self.requests.append(operation)
        try:
            self._authenticate(request)
            fault = self._take(operation)
            if fault == "rate_limit":
                raise Refused("Too many requests.", status=429, code="rate_limit", kind="invalid_request_error")
            if fault == "error_500_before":
                raise Refused("Something went wrong on Stripe's end.", status=500, kind="api_error")
            status, body = self._once(request, path, raw, fault)
        except Refused as refused:
            return JSONResponse(_error(refused), status_code=refused.status)
        if fault == "timeout_after_commit":
            await asyncio.sleep(HANG_SECONDS)
        if fault == "cut_after_commit":
            request.scope["extensions"]["sandbox.transport"].abort()
        return JSONResponse(body, status_code=status)

    def _authenticate(self, request: Request) -> None:
        if not request.headers.get("authorization", "").startswith(f"Bearer {KEY_BEGINS}"):
            raise Refused("Invalid API Key provided.", status=401)
        if not request.headers.get("stripe-version"):
            raise Refused("Pin a version: this sandbox has no default.")

    def _take(self, operation: str) -> str:
        for fault in self.faults:
            if fault.operation in ("*", operation):
                fault.count -= 1
                if fault.count <= 0:
                    self.faults.remove(fault)
                return fault.kind
        return ""

    def _once(self, request: Request, path: str, raw: str, fault: str) -> tuple[int, Thing]:
        """Do what is asked, once for each idempotency key."""
        key = request.headers.get("idempotency-key", "")
        asked = (request.method, path, raw)
        if request.method == "POST":
            if not key or len(key) > 255:
                raise Refused("Give an Idempotency-Key of 1 to 255 characters.")
            if key in self.keys:
                kept = self.keys[key]
                if kept.asked != asked:
                    raise Refused("The same key with other parameters.", kind="idempotency_error")
                return kept.status, kept.body
        try:
            status, body = 200, _copied(self._do(request, path, raw))
            if fault == "error_500_after_commit":
                error = Refused("Something went wrong on Stripe's end.", status=500, kind="api_error")
                status, body = 500, _error(error)
        except Refused as refused:
            status, body = refused.status, _error(refused)
        if request.method == "POST":
            self.keys[key] = Kept(asked, status, body)
        return status, body

    def _do(self, request: Request, path: str, raw: str) -> Thing:
        query = parse_qsl(request.url.query, keep_blank_values=True)
        given = parameters.read(parse_qsl(raw, keep_blank_values=True) if request.method == "POST" else query)
        given.pop("expand", None)
        match [request.method, *path.split("/")]:
            case ["POST", "customers"]:
                parameters.only(given, parameters.CUSTOMER)
                return self.books.create_customer(given)
            case ["POST", "customers", customer_id]:
                parameters.only(given, parameters.CUSTOMER)
                return self.books.update_customer(customer_id, given)
            case ["GET", "customers"]:
                parameters.only(given, parameters.CUSTOMER_LIST)
                since = int((given.get("created") or {}).get("gte", 0))
                found = [each for each in self.books.customers.values() if each["created"] >= since]
                return _list(found, given, "/v1/customers")
            case ["GET", "customers", customer_id]:
                return self.books.customer(customer_id)
            case [_, "invoices", *rest]:
                return self._invoices(request.method, rest, given)
            case ["POST", "credit_notes"]:
                parameters.only(given, parameters.CREDIT_NOTE)
                return self.books.create_credit_note(given)
            case ["GET", "credit_notes"]:
                parameters.only(given, {"invoice", "limit", "starting_after"})
                notes = [each for each in self.books.credit_notes.values() if each["invoice"] == given.get("invoice")]
                return _list(notes, given, "/v1/credit_notes")
            case ["GET", "credit_notes", note_id]:
                return self.books.credit_note(note_id)
        raise Refused(f"Unrecognized request URL ({request.method}: /v1/{path}).", status=404)

    def _invoices(self, method: str, rest: list[str], given: Thing) -> Thing:
        match [method, *rest]:
            case ["POST"]:
                parameters.only(given, parameters.INVOICE)
                parameters.check_custom_fields(given)
                return self.books.create_invoice(given)
            case ["GET"]:
                parameters.only(given, parameters.INVOICE_LIST)
                own = [each for each in self.books.invoices.values() if each["customer"] == given.get("customer")]
                return _list(own, given, "/v1/invoices")
            case ["GET", invoice_id]:
                return self.books.invoice(invoice_id)
            case ["GET", invoice_id, "lines"]:
                parameters.only(given, {"limit", "starting_after"})
                return _list(self.books.invoice(invoice_id)["lines"]["data"], given, f"/v1/invoices/{invoice_id}/lines")
            case ["POST", invoice_id, "add_lines"]:
                parameters.check_lines(given)
                return self.books.add_lines(invoice_id, given)
            case ["POST", invoice_id, "finalize"]:
                parameters.only(given, parameters.FINALIZE)
                return self.books.finalize(invoice_id)
            case ["POST", invoice_id, "send"]:
                parameters.only(given, set())
                return self.books.send(invoice_id)
            case ["POST", invoice_id, "pay"]:
                parameters.only(given, parameters.PAY)
                return self.books.pay(invoice_id)
            case ["POST", invoice_id, "void"]:
                return self.books.move(invoice_id, "void")
            case ["POST", invoice_id, "mark_uncollectible"]:
                return self.books.move(invoice_id, "uncollectible")
        raise Refused("Unrecognized request URL.", status=404)


def _list(things: list[Thing], given: Thing, url: str) -> Thing:
    newest_first = list(reversed(things)) if not url.endswith("/lines") else things
    ids = [each["id"] for each in newest_first]
    start = ids.index(given["starting_after"]) + 1 if given.get("starting_after") in ids else 0
    limit = min(100, int(given.get("limit", 10)))
    data = newest_first[start : start + limit]
    return {"object": "list", "url": url, "data": data, "has_more": start + limit < len(newest_first)}


def _named(path: str) -> str:
    """Return a path without ids: `invoices/finalize`."""
    return "/".join(part for part in path.split("/") if "_0000" not in part)


def _copied(thing: Thing) -> Thing:
    copy: Thing = json.loads(json.dumps(thing))
    return copy


def _error(refused: Refused) -> Thing:
    error: dict[str, Any] = {"type": refused.kind, "message": str(refused)}
    return {"error": error | ({"code": refused.code} if refused.code else {})}
