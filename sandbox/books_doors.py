"""The doors to the books: lists, the summary, whether all is quiet, and the sandbox's own count of conversations."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control import sandbox_of
from sandbox.inbound import UnfitMessage

MOST_ROWS = 1000


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/_sandbox/books", _books, methods=["GET"]),
        Route("/_sandbox/books/summary", _summary, methods=["GET"]),
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


async def _quiet(request: Request) -> Response:
    sandbox = sandbox_of(request=request)
    waiting = {
        "statuses_planned": sandbox.statuses.planned,
        "updates_unacknowledged": sandbox.courier.unacknowledged,
        "updates_retrying": sandbox.courier.retrying,
        "requests_in_hand": sandbox.world.requests_in_hand,
    }
    return JSONResponse({"quiet": not any(waiting.values()), **waiting})
