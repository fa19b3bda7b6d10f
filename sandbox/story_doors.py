"""The doors of the demo's story: prepare it, play its next scene."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control import read_object, sandbox_of
from sandbox.story import Unacknowledged, prepare_story
from sandbox.world import Conflict


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/_sandbox/story", _prepare, methods=["POST"]),
        Route("/_sandbox/story/scene", _play_scene, methods=["POST"]),
    ]


async def _prepare(request: Request) -> Response:
    sandbox = sandbox_of(request=request)
    sandbox.story = prepare_story(sandbox=sandbox, raw=await read_object(request=request))
    return JSONResponse(sandbox.story.describe())


async def _play_scene(request: Request) -> Response:
    story = sandbox_of(request=request).story
    if story is None:
        raise Conflict("no story was prepared")
    try:
        return JSONResponse(await story.play_scene())
    except Unacknowledged as error:
        return JSONResponse({"error": str(error)}, status_code=504)
