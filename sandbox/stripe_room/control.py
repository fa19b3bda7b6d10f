"""The control door of Stripe's room, `/_sandbox/stripe/…`: money that comes in, faults, webhooks, and the books."""

from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.stripe_room.books import Refused
from sandbox.stripe_room.room import FAULTS, Fault, Room
from sandbox.stripe_room.telling import ORDERS


def routes(*, room: Room) -> list[BaseRoute]:
    """Return the control doors of a room."""

    async def reset(request: Request) -> JSONResponse:
        room.clear()
        return JSONResponse({})

    async def faults(request: Request) -> JSONResponse:
        for raw in (await request.json())["faults"]:
            if raw.get("kind") not in FAULTS:
                return JSONResponse({"error": f"there is no fault {raw.get('kind')!r}"}, status_code=400)
            room.faults.append(Fault(raw["kind"], raw.get("operation", "*"), int(raw.get("count", 1))))
        return JSONResponse({"faults": len(room.faults)})

    async def webhooks(request: Request) -> JSONResponse:
        given = await request.json()
        room.teller.url, room.teller.secret = given["url"], given["secret"]
        return JSONResponse({})

    async def deliver(request: Request) -> JSONResponse:
        given: dict[str, Any] = await request.json()
        order = given.get("order", "as_is")
        if order not in ORDERS:
            return JSONResponse({"error": f"there is no order {order!r}"}, status_code=400)
        statuses = await room.teller.deliver(
            room.books.events,
            order=order,
            times=int(given.get("times", 1)),
            again=bool(given.get("again")),
            seed=int(given.get("seed", 1)),
            host=str(given.get("host", "")),
        )
        return JSONResponse({"statuses": statuses})

    async def act(request: Request) -> JSONResponse:
        given = await request.json()
        try:
            match given.pop("do"):
                case "pay":
                    done = room.books.pay(given["invoice"], cents=given.get("cents"))
                case "void" | "uncollectible" as status:
                    done = room.books.move(given["invoice"], status)
                case "credit":  # somebody credits on Stripe's own pages
                    done = room.books.create_credit_note({"invoice": given["invoice"], "amount": given["cents"]})
                case "void_note":
                    done = room.books.void_credit_note(given["note"])
                case "tell":
                    room.books.tell(given["invoice"], given["event"])
                    done = {}
                case "change":  # somebody edits a draft on Stripe's own pages
                    invoice = room.books.invoice(given["invoice"])
                    invoice["lines"]["data"][0]["amount"] += int(given["cents"])
                    room.books._sum(invoice)
                    room.books.tell(given["invoice"], "invoice.updated")
                    done = invoice
                case other:
                    return JSONResponse({"error": f"nobody does {other!r}"}, status_code=400)
        except Refused as refused:
            return JSONResponse({"error": str(refused)}, status_code=409)
        return JSONResponse(done)

    async def books(request: Request) -> JSONResponse:
        held = room.books
        return JSONResponse(
            {
                "customers": list(held.customers.values()),
                "invoices": list(held.invoices.values()),
                "credit_notes": list(held.credit_notes.values()),
                "events": Counter(event["type"] for event in held.events),
                "sent": held.sent,
                "requests": room.requests,
            }
        )

    async def waiting(request: Request) -> JSONResponse:
        return JSONResponse({"events": room.books.events})

    async def clear_faults(request: Request) -> JSONResponse:
        room.faults.clear()
        return JSONResponse({})

    async def forget_keys(request: Request) -> JSONResponse:
        room.keys.clear()
        return JSONResponse({})

    async def take_number(request: Request) -> JSONResponse:
        made = room.books.create_customer({"name": "Somebody else"})
        number = (await request.json())["number"]
        return JSONResponse(room.books.create_invoice({"customer": made["id"], "number": number}))

    return [
        Route("/_sandbox/stripe/waiting", waiting, methods=["POST"]),
        Route("/_sandbox/stripe/clear_faults", clear_faults, methods=["POST"]),
        Route("/_sandbox/stripe/forget_keys", forget_keys, methods=["POST"]),
        Route("/_sandbox/stripe/take_number", take_number, methods=["POST"]),
        Route("/_sandbox/stripe/reset", reset, methods=["POST"]),
        Route("/_sandbox/stripe/faults", faults, methods=["POST"]),
        Route("/_sandbox/stripe/webhooks", webhooks, methods=["POST"]),
        Route("/_sandbox/stripe/deliver", deliver, methods=["POST"]),
        Route("/_sandbox/stripe/act", act, methods=["POST"]),
        Route("/_sandbox/stripe/books", books, methods=["GET"]),
    ]
