"""Meta's media doors: upload, look up, download, delete. Download URLs live five minutes and need the token."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.control import sandbox_of
from sandbox.faults import MediaFault
from sandbox.graph_errors import GraphError
from sandbox.sending import business_for, number_for
from sandbox.world import MediaFile, World

UPLOAD_SECONDS = 30 * 86400.0
URL_SECONDS = 300.0
MEGABYTE = 1024 * 1024
MOST_ENDLESS = 150  # megabytes: more than any platform takes
# Largest size by MIME type's family; documents are all else that is allowed.
MOST_BYTES = {"image/jpeg": 5, "image/png": 5, "image/webp": 0.5, "video/mp4": 16, "video/3gpp": 16}
AUDIO = {"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/ogg; codecs=opus"}
DOCUMENTS = {
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


def routes() -> list[Route]:
    """List the doors; ids of media, numbers and businesses share one namespace, so GET of an id is in `accounts`."""
    return [
        Route("/{version}/{phone_number_id}/media", _upload, methods=["POST"]),
        Route("/_media/{media_id}", _download, methods=["GET"]),
    ]


def token_of(*, request: Request) -> str | None:
    """Read the bearer token, or the one in the query as Graph also takes it."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    # Meta's page of resumable uploads says OAuth.
    return token if scheme.lower() in ("bearer", "oauth") else request.query_params.get("access_token")


def find_media(*, world: World, request: Request, media_id: str) -> MediaFile | None:
    """Find the file if this token may see it and it has not expired; `phone_number_id` narrows it to one number."""
    file = world.media.get(media_id)
    business = business_for(world=world, token=token_of(request=request))
    if file is None or file.expires_at <= world.clock.now():
        return None
    if business is not None and file.number.business is not business:
        return None
    number_id = request.query_params.get("phone_number_id")
    return file if number_id in (None, file.number.id) else None


def describe_media(*, world: World, file: MediaFile) -> dict[str, Any]:
    """Show the file with a fresh URL that lives five minutes. Raises GraphError: a fault asks for it."""
    fault = world.faults.take_media(looking_up=True)
    if fault is not None:
        raise GraphError(code=fault.code, details="A fault that was asked for.")
    key = secrets.token_urlsafe(16)
    world.media_urls[key] = (file.id, world.clock.now() + URL_SECONDS)
    return {
        "messaging_product": "whatsapp",
        "url": f"{world.public_url}/_media/{file.id}?key={key}",
        "mime_type": file.mime_type,
        "sha256": file.sha256,
        "file_size": len(file.content),
        "id": file.id,
    }


async def _upload(request: Request) -> Response:
    world = sandbox_of(request=request).world
    number = number_for(world=world, token=token_of(request=request), number_id=request.path_params["phone_number_id"])
    async with request.form() as form:
        uploaded = form.get("file")
        if form.get("messaging_product") != "whatsapp":
            raise GraphError(code=100, details="The parameter messaging_product is required.")
        if not isinstance(uploaded, UploadFile):
            raise GraphError(code=100, details="The parameter file is required.")
        content = await uploaded.read()
        mime_type = str(uploaded.content_type or form.get("type") or "")
        filename = uploaded.filename
    _check(mime_type=mime_type, size=len(content))
    file = MediaFile(
        id=world.ids.next_number(),
        number=number,
        mime_type=mime_type,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        filename=filename,
        expires_at=world.clock.now() + UPLOAD_SECONDS,
    )
    world.media[file.id] = file
    return JSONResponse({"id": file.id})


def _check(*, mime_type: str, size: int) -> None:
    if mime_type in MOST_BYTES:
        most = MOST_BYTES[mime_type]
    elif mime_type in AUDIO:
        most = 16
    elif mime_type in DOCUMENTS:
        most = 100
    else:
        raise GraphError(code=131053, details="Unsupported media type.")
    if size > most * MEGABYTE:
        raise GraphError(code=131053, details=f"Files of this type are at most {most} MB.")
    if size == 0:
        raise GraphError(code=131053, details="The file is empty.")


async def _download(request: Request) -> Response:
    world, media_id = sandbox_of(request=request).world, request.path_params["media_id"]
    key = request.query_params.get("key")
    listed, until = world.media_urls.get(key or "", ("", 0.0))
    from_webhook = request.query_params.get("source") == "webhook"
    file = find_media(world=world, request=request, media_id=media_id)
    if file is None or not (from_webhook or (listed == media_id and world.clock.now() < until)):
        return Response(status_code=404)
    fault = world.faults.take_media(looking_up=False)
    if fault is not None:
        return await _faulty(request=request, file=file, fault=fault)
    return Response(file.content, media_type=file.mime_type)


async def _faulty(*, request: Request, file: MediaFile, fault: MediaFault) -> Response:
    if fault.kind == "not_found":
        return Response(status_code=404)
    if fault.kind == "html_500":
        return HTMLResponse("<html>Sorry, something went wrong.</html>", status_code=500)
    if fault.kind == "redirect":
        return RedirectResponse(fault.to, status_code=302)
    if fault.kind == "altered":
        return Response(bytes([file.content[0] ^ 1]) + file.content[1:], media_type=file.mime_type)
    if fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
        return Response(file.content, media_type=file.mime_type)
    return StreamingResponse(_pieces(request=request, file=file, fault=fault), media_type=file.mime_type)


async def _pieces(*, request: Request, file: MediaFile, fault: MediaFault) -> AsyncIterator[bytes]:
    if fault.kind == "endless":
        for _ in range(MOST_ENDLESS):
            yield bytes(MEGABYTE)
            await asyncio.sleep(0.001)  # or nobody else would be served by this loop
        return
    if fault.kind == "cut":
        yield file.content[: len(file.content) // 2]
        await asyncio.sleep(0.05)  # what was written leaves first
        request.scope["extensions"]["sandbox.transport"].abort()
        return
    for start in range(len(file.content)):
        yield file.content[start : start + 1]
        await asyncio.sleep(fault.seconds)
