"""Meta's resumable uploads: a session, the bytes, and the handle that profile pictures and templates' examples name."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control import sandbox_of
from sandbox.graph_calls import read_parameters, required
from sandbox.graph_errors import GraphError, missing_object
from sandbox.media import token_of
from sandbox.sending import business_for
from sandbox.world import Upload

TYPES = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")


def routes() -> list[Route]:
    """List the doors."""
    return [
        Route("/{version}/{app_id}/uploads", _begin, methods=["POST"]),
        Route("/{version}/upload:{session}", _receive, methods=["POST"]),
        Route("/{version}/upload:{session}", _show, methods=["GET"]),
    ]


async def _begin(request: Request) -> Response:
    world, given = sandbox_of(request=request).world, await read_parameters(request=request)
    business_for(world=world, token=token_of(request=request))
    if request.path_params["app_id"] != world.config.app_id:
        raise missing_object(object_id=request.path_params["app_id"])
    length = required(given=given, name="file_length")
    if required(given=given, name="file_type") not in TYPES:
        raise GraphError(code=100, details=f"file_type is one of {', '.join(TYPES)}")
    if not length.isdigit():
        raise GraphError(code=100, details="file_length is a number of bytes")
    session = f"upload:{world.ids.next_trace()}"
    world.uploads[session] = Upload(name=str(given.get("file_name", "")), length=int(length))
    return JSONResponse({"id": session})


async def _receive(request: Request) -> Response:
    """Take the bytes from `file_offset` on; the handle is there once they are as many as announced."""
    world, upload = sandbox_of(request=request).world, _upload(request=request)
    business_for(world=world, token=token_of(request=request))
    offset = request.headers.get("file_offset", "0")
    if not offset.isdigit() or int(offset) != len(upload.content):
        raise GraphError(code=100, details="file_offset is not where the upload stands")
    upload.content += await request.body()
    if len(upload.content) != upload.length:
        raise GraphError(code=100, details="The file is not as long as announced.")
    upload.handle = f"4::{world.ids.next_trace()}"
    return JSONResponse({"h": upload.handle})


async def _show(request: Request) -> Response:
    upload = _upload(request=request)
    return JSONResponse({"id": f"upload:{request.path_params['session']}", "file_offset": len(upload.content)})


def _upload(*, request: Request) -> Upload:
    session = f"upload:{request.path_params['session']}"
    upload = sandbox_of(request=request).world.uploads.get(session)
    if upload is None:
        raise missing_object(object_id=session)
    return upload
