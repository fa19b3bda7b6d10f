"""Calls to Meta's Cloud API: one method for each, typed on both sides, on a session that the caller owns.

`send` is the heart: it never raises for what the network or Meta does, and tells Accepted, Refused, Uncertain and
NotSent apart (see `outcomes`). The other calls raise MetaRefused or MetaUnreachable; no exception of aiohttp's leaves.
Source: Meta, Cloud API and Graph API reference pages, read 2026-11-22.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import orjson
from yarl import URL

from whatsapp import limits, transport
from whatsapp.outcomes import (
    Accepted,
    CreatedTemplate,
    MediaRecord,
    MetaRefused,
    MetaUnreachable,
    NotSent,
    NumberRecord,
    Outcome,
    Reason,
    Refused,
    TemplatePage,
    Uncertain,
    answer_of_call,
    outcome_of_send,
    reason_of_status,
)
from whatsapp.outgoing import read_receipt_body
from whatsapp.payloads.parts import text
from whatsapp.transport import open_session

__all__ = [
    "GRAPH_URL",
    "GRAPH_VERSION",
    "Accepted",
    "CloudAPI",
    "CreatedTemplate",
    "MediaRecord",
    "MetaRefused",
    "MetaUnreachable",
    "NotSent",
    "NumberRecord",
    "Outcome",
    "Reason",
    "Refused",
    "TemplatePage",
    "Uncertain",
    "open_session",
]

GRAPH_URL = "https://graph.facebook.com"
# The one place where the version of calls is pinned; callable until 18 February 2028.
GRAPH_VERSION = "v24.0"
# Templates a page: Meta's own default is 25.
TEMPLATES_PER_PAGE = 100
# Where Meta keeps media, beside the API itself: a token is sent nowhere else.
MEDIA_HOSTS = (".fbsbx.com",)

_NUMBER_FIELDS = "id,display_phone_number,verified_name,quality_rating,status"
_TEMPLATE_FIELDS = "id,name,language,category,status,components,parameter_format,quality_score,rejected_reason"
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_VERSION = re.compile(r"v[0-9]+\.[0-9]+")
_JSON = {"Content-Type": "application/json"}
_HTTP_OK = 200


class CloudAPI:
    """Meta's Cloud API over one HTTP session; safe to share between tasks, because it keeps nothing of a call."""

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        base_url: str = GRAPH_URL,
        version: str = GRAPH_VERSION,
        timeout_seconds: float = transport.TOTAL_SECONDS,
        connect_seconds: float = transport.CONNECT_SECONDS,
    ) -> None:
        """Raise ValueError: base_url is no http address, version is none, or connecting may outlast the whole."""
        base = URL(base_url)
        if base.scheme not in {"http", "https"} or not base.host:
            raise ValueError("base_url must be an http or https address")
        if not _VERSION.fullmatch(version):
            raise ValueError('version must be like "v24.0"')
        self._session = session
        self._origin = base.origin()
        self._root = f"{base_url.rstrip('/')}/{version}"
        self._within = transport.timeout(total_seconds=timeout_seconds, connect_seconds=connect_seconds)
        self._within_media = transport.timeout(
            total_seconds=max(timeout_seconds, transport.MEDIA_SECONDS), connect_seconds=connect_seconds
        )
        self._within_download = transport.timeout(
            total_seconds=max(timeout_seconds, transport.MEDIA_SECONDS),
            connect_seconds=connect_seconds,
            silent_seconds=min(timeout_seconds, transport.MEDIA_SILENT_SECONDS),
        )

    async def send(self, *, phone_number_id: str, access_token: str, body: dict[str, Any] | bytes) -> Outcome:
        """Send one message, once, and return what came of it.

        body: of `outgoing.request_body`, or of `addressed`. Never raises for what Meta or the network does; when it is
        cancelled, the outcome is as unknown as after a time-out.
        """
        try:
            answer = await self._post_json(f"{phone_number_id}/messages", access_token, body, phone_number_id)
        except MetaUnreachable as failure:
            return Uncertain(failure.reason) if failure.may_have_happened else NotSent(failure.reason)
        return outcome_of_send(status=answer.status, body=answer.body)

    async def mark_read(self, *, phone_number_id: str, access_token: str, wamid: str, typing: bool = False) -> None:
        """Mark a message, and all before it, as read; safe to repeat.  Raises MetaRefused, MetaUnreachable."""
        body = read_receipt_body(wamid=wamid, typing=typing)
        answer = await self._post_json(f"{phone_number_id}/messages", access_token, body, phone_number_id)
        answer_of_call(status=answer.status, body=answer.body)

    async def check_token(self, *, phone_number_id: str, access_token: str) -> NumberRecord:
        """Return the number that a token opens.  Raises MetaRefused: it opens it not; MetaUnreachable."""
        found = await self._get(phone_number_id, access_token, {"fields": _NUMBER_FIELDS}, phone_number_id)
        return NumberRecord(
            phone_number_id=_required(found, "id"),
            display_phone_number=text(found.get("display_phone_number")),
            verified_name=text(found.get("verified_name")),
            quality_rating=text(found.get("quality_rating")),
            status=text(found.get("status")),
        )

    async def template_page(
        self, *, waba_id: str, access_token: str, after: str | None = None, limit: int = TEMPLATES_PER_PAGE
    ) -> TemplatePage:
        """Return one page of a WABA's templates, each as Meta wrote it.  Raises MetaRefused, MetaUnreachable.

        after: where the last page ended. Meta's own address of the next page is not used: it holds the token.
        """
        params = {"fields": _TEMPLATE_FIELDS, "limit": str(limit)} | ({"after": after} if after else {})
        page = await self._get(f"{waba_id}/message_templates", access_token, params, waba_id)
        items = page.get("data")
        following = _next_cursor(page)
        # A page without its list, or one that leads back to itself, would pass for "these are all".
        if not isinstance(items, list) or (following is not None and following == after):
            raise MetaUnreachable(Reason.UNREADABLE_ANSWER, may_have_happened=True)
        return TemplatePage(items=tuple(items), after=following)

    async def template(self, *, template_id: str, access_token: str) -> dict[str, Any]:
        """Return one template as Meta wrote it.  Raises MetaRefused: also when it is not there; MetaUnreachable."""
        return await self._get(template_id, access_token, {"fields": _TEMPLATE_FIELDS}, template_id)

    async def create_template(
        self,
        *,
        waba_id: str,
        access_token: str,
        name: str,
        language: str,
        category: str,
        components: Sequence[dict[str, Any]],
        parameter_format: str = "POSITIONAL",
    ) -> CreatedTemplate:
        """Hand in a template for review.  Raises MetaRefused, MetaUnreachable.

        category: UTILITY, MARKETING or AUTHENTICATION; parameter_format: POSITIONAL or NAMED.
        """
        body = {
            "name": name,
            "language": language,
            "category": category,
            "parameter_format": parameter_format,
            "components": list(components),
        }
        answer = await self._post_json(f"{waba_id}/message_templates", access_token, body, waba_id)
        made = answer_of_call(status=answer.status, body=answer.body)
        return CreatedTemplate(
            template_id=_required(made, "id"),
            status=text(made.get("status")) or "PENDING",
            category=text(made.get("category")),
        )

    async def edit_template(self, *, template_id: str, access_token: str, components: Sequence[dict[str, Any]]) -> None:
        """Put other components in place of a template's, for a new review.  Raises MetaRefused, MetaUnreachable."""
        answer = await self._post_json(template_id, access_token, {"components": list(components)}, template_id)
        answer_of_call(status=answer.status, body=answer.body)

    async def upload_media(
        self, *, phone_number_id: str, access_token: str, content: bytes, mime_type: str, filename: str = "file"
    ) -> str:
        """Upload a medium and return its id, good for 30 days and this number.  Raises MetaRefused, MetaUnreachable."""
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", mime_type)
        form.add_field("file", content, content_type=mime_type, filename=filename)
        answer = await transport.exchange(
            session=self._session,
            method="POST",
            url=self._url(f"{phone_number_id}/media", phone_number_id),
            access_token=access_token,
            within=self._within_media,
            data=form,
        )
        return _required(answer_of_call(status=answer.status, body=answer.body), "id")

    async def media_info(self, *, media_id: str, phone_number_id: str, access_token: str) -> MediaRecord:
        """Return where a medium can be fetched.  Raises MetaRefused, MetaUnreachable.

        phone_number_id: given along so that Meta refuses a medium of another number.
        """
        found = await self._get(media_id, access_token, {"phone_number_id": phone_number_id}, media_id)
        size = found.get("file_size")
        return MediaRecord(
            media_id=_required(found, "id"),
            url=_required(found, "url"),
            mime_type=text(found.get("mime_type")),
            sha256=text(found.get("sha256")),
            size_bytes=int(size) if isinstance(size, int | str) and str(size).isdecimal() else None,
        )

    async def download_media(
        self,
        *,
        url: str,
        access_token: str,
        write: Callable[[bytes], object],
        most_bytes: int = limits.INBOUND_MEDIA_BYTES,
    ) -> None:
        """Hand a medium's bytes to `write` as they come.

        Raises MetaRefused; MetaUnreachable: NOT_FOUND asks for a new url of `media_info`. After either, what was
        written is no medium. Only from Meta's own hosts: the token goes along, and the url may have come from a
        webhook.
        """
        if not self._is_trusted(url):
            raise MetaUnreachable(Reason.UNTRUSTED_URL, may_have_happened=False)
        answer = await transport.download(
            session=self._session,
            url=url,
            access_token=access_token,
            within=self._within_download,
            most_bytes=most_bytes,
            write=write,
        )
        if answer.status != _HTTP_OK:
            answer_of_call(status=answer.status, body=answer.body)
            raise MetaUnreachable(reason_of_status(answer.status), may_have_happened=True)

    async def _post_json(
        self, path: str, access_token: str, body: dict[str, Any] | bytes, checked_id: str
    ) -> transport.Answer:
        try:
            data = body if isinstance(body, bytes) else orjson.dumps(body)
        except TypeError:
            raise MetaUnreachable(Reason.INVALID_REQUEST, may_have_happened=False) from None
        return await transport.exchange(
            session=self._session,
            method="POST",
            url=self._url(path, checked_id),
            access_token=access_token,
            within=self._within,
            data=data,
            headers=_JSON,
        )

    async def _get(self, path: str, access_token: str, params: dict[str, str], checked_id: str) -> dict[str, Any]:
        answer = await transport.exchange(
            session=self._session,
            method="GET",
            url=self._url(path, checked_id),
            access_token=access_token,
            within=self._within,
            params=params,
        )
        return answer_of_call(status=answer.status, body=answer.body)

    def _url(self, path: str, checked_id: str) -> str:
        """Return a call's address.  Raises MetaUnreachable: an id that would change the path."""
        if not _ID.fullmatch(checked_id) or checked_id in {".", ".."}:
            raise MetaUnreachable(Reason.INVALID_REQUEST, may_have_happened=False)
        return f"{self._root}/{path}"

    def _is_trusted(self, url: str) -> bool:
        try:
            address = URL(url)
            if address.origin() == self._origin:
                return True
        except ValueError:
            return False
        return address.scheme == "https" and (address.host or "").endswith(MEDIA_HOSTS)


def _required(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value:
        return value
    raise MetaUnreachable(Reason.UNREADABLE_ANSWER, may_have_happened=True)


def _next_cursor(page: dict[str, Any]) -> str | None:
    paging = page.get("paging")
    if not isinstance(paging, dict) or not text(paging.get("next")):
        return None
    cursors = paging.get("cursors")
    after = text(cursors.get("after")) if isinstance(cursors, dict) else None
    if after is None:
        # There is a next page, so stopping here would lose templates without a word.
        raise MetaUnreachable(Reason.UNREADABLE_ANSWER, may_have_happened=True)
    return after
