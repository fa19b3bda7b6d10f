"""The doors to the books: lists, the summary, whether all is quiet, and the sandbox's own count of conversations."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.books import Books, Reported
from sandbox.control import read_object, sandbox_of
from sandbox.conversations import Close, Link, Report, count
from sandbox.inbound import UnfitMessage

MOST_ROWS = 1000
MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/_sandbox/books", _books, methods=["GET"]),
        Route("/_sandbox/books", _forget, methods=["DELETE"]),
        Route("/_sandbox/books/summary", _summary, methods=["GET"]),
        Route("/_sandbox/conversations", _conversations, methods=["GET"]),
        Route("/_sandbox/conversations/close", _close_month, methods=["POST"]),
        Route("/_sandbox/quiet", _quiet, methods=["GET"]),
    ]


async def _summary(request: Request) -> Response:
    sandbox = sandbox_of(request=request)
    return JSONResponse(sandbox.world.books.summary(unacknowledged=sandbox.courier.unacknowledged))


async def _books(request: Request) -> Response:
    """Show rows of `list` (sends, inbound, webhooks), `offset` and `limit` apart, with the number of all rows."""
    books, query = sandbox_of(request=request).world.books, request.query_params
    try:
        offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 100)), MOST_ROWS)
    except ValueError as error:
        raise UnfitMessage("offset and limit are numbers") from error
    lists: dict[str, Sequence[Any] | Any] = {
        "sends": books.sends,
        "inbound": books.inbound.values(),
        "webhooks": books.posts,
        "changes": books.changes,
    }
    chosen = query.get("list", "sends,inbound,webhooks").split(",")
    if set(chosen) - lists.keys():
        raise UnfitMessage(f"list is of {', '.join(lists)}")
    number_id, opaque, wamid = (query.get(key) for key in ("phone_number_id", "opaque", "wamid"))
    answer: dict[str, Any] = {}
    for name in chosen:
        rows = [
            row
            for row in lists[name]
            if (number_id is None or getattr(row, "number_id", None) == number_id)
            and (opaque is None or getattr(row, "opaque", None) == opaque)
            and (wamid is None or getattr(row, "wamid", None) == wamid)
        ]
        page = [row.as_dict() for row in islice(rows, offset, offset + limit)]
        following = offset + limit if offset + limit < len(rows) else None
        answer[name] = {"count": len(rows), "next_offset": following, "rows": page}
    return JSONResponse(answer)


async def _forget(request: Request) -> Response:
    """Begin new books; businesses, citizens and the clock stay."""
    sandbox_of(request=request).world.forget_books()
    return await _summary(request)


async def _conversations(request: Request) -> Response:
    """Count the conversations of a month (all months without `month`); `closed` months count as closed just now."""
    books, query = sandbox_of(request=request).world.books, request.query_params
    closed = [_read_month(text=text) for text in query.get("closed", "").split(",") if text]
    outcome = count(log=[*read_log(books=books), *(Close(month) for month in sorted(closed))])
    month = _read_month(text=query["month"]) if "month" in query else None
    kept = [each for each in outcome.conversations if month in (None, each.month)]
    by_number: dict[str, Counter[str]] = {}
    for each in kept:
        by_number.setdefault(each.number, Counter())[each.category] += 1
    answer: dict[str, Any] = {
        "month": month,
        "total": len(kept),
        "by_category": dict(Counter(each.category for each in kept)),
        "by_number": {number: dict(counts) for number, counts in by_number.items()},
        "corrections": [asdict(each) for each in outcome.corrections if month in (None, each.month)],
    }
    if query.get("rows"):
        rows = [asdict(each) for each in sorted(kept, key=lambda each: (each.opened_at, each.contact))]
        answer["rows"] = [
            {**row, "opened_at": row["opened_at"].isoformat(), "ends_at": row["ends_at"].isoformat()} for row in rows
        ]
    return JSONResponse(answer)


async def _close_month(request: Request) -> Response:
    """Note that the platform's run of the month entered review: {"month": "YYYY-MM"}."""
    month = _read_month(text=(await read_object(request=request)).get("month"))
    sandbox_of(request=request).world.books.log.append(month)
    return JSONResponse({"closed": month})


def read_log(*, books: Books) -> list[Report | Link | Close]:
    """Read the books as the log that conversations are counted from."""
    log: list[Report | Link | Close] = []
    for event in books.log:
        if isinstance(event, str):
            log.append(Close(event))
        elif isinstance(event, Reported):
            log.append(_read_report(reported=event))
        else:
            number, known_as, is_really = event
            log.append(Link(number, str(known_as), str(is_really)))
    return log


def _read_report(*, reported: Reported) -> Report:
    send, pricing = reported.send, reported.pricing
    return Report(
        number=send.number_id,
        contact=str(send.citizen_key),
        wamid=send.wamid or "",
        status=reported.status,
        stamp=datetime.fromtimestamp(reported.stamp, tz=UTC),
        pricing_model=pricing.get("pricing_model") if pricing else None,
        pricing_type=pricing.get("type") if pricing else None,
        pricing_category=pricing.get("category") if pricing else None,
        template=send.template,
        template_category=send.category,
    )


def _read_month(*, text: Any) -> str:
    if not isinstance(text, str) or not MONTH.match(text):
        raise UnfitMessage("a month is YYYY-MM")
    return text


async def _quiet(request: Request) -> Response:
    sandbox = sandbox_of(request=request)
    waiting = {
        "statuses_planned": sandbox.statuses.planned,
        "updates_unacknowledged": sandbox.courier.unacknowledged,
        "updates_retrying": sandbox.courier.retrying,
        "requests_in_hand": sandbox.world.requests_in_hand,
    }
    return JSONResponse({"quiet": not any(waiting.values()), **waiting})
