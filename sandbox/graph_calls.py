"""What Meta's doors for accounts share: whom a path names, whether the token may, and a call's parameters."""

from typing import Any

from starlette.requests import Request

from sandbox.control import sandbox_of
from sandbox.graph_errors import GraphError
from sandbox.inbound import UnfitMessage, read_json
from sandbox.media import token_of
from sandbox.sending import number_for
from sandbox.world import Number


def number_in_path(*, request: Request) -> Number:
    """Find the number in the path if this token may act for it. Raises GraphError 190 or 100."""
    number_id = request.path_params["phone_number_id"]
    return number_for(world=sandbox_of(request=request).world, token=token_of(request=request), number_id=number_id)


async def read_parameters(*, request: Request) -> dict[str, Any]:
    """Read a call's parameters, from the query, and from a JSON body or a form over it, as Graph takes both."""
    given: dict[str, Any] = dict(request.query_params)
    if "form" in request.headers.get("content-type", ""):
        async with request.form() as form:
            return given | dict(form)
    try:
        body = read_json(body=await request.body())
    except UnfitMessage as error:
        raise GraphError(code=100, details="The body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise GraphError(code=100, details="The body is not a JSON object.")
    return given | body


def required(*, given: dict[str, Any], name: str) -> str:
    """Read a parameter that must be there. Raises GraphError 100."""
    value = given.get(name)
    if value is None or value == "":
        raise GraphError(code=100, details=f"The parameter {name} is required.")
    return str(value)
