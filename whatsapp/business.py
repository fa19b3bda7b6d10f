"""Calls with which a municipality's account and number come to us: the code, credit, storage, registration, profile.

As in `client`: one method for each, on a session that the caller owns; MetaRefused and MetaUnreachable, nothing else.
Each may be repeated: what is done already is found by asking first, which is the caller's part.
Source: Meta, Embedded Signup, Cloud API and Business Management API pages (excerpts of 2026-05-21).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from whatsapp import transport
from whatsapp.client import GRAPH_URL, GRAPH_VERSION
from whatsapp.outcomes import MetaUnreachable, Reason, answer_of_call, reason_of_status
from whatsapp.payloads.parts import objects, text

NUMBERS_PER_PAGE = 100
PICTURE_HOSTS = (".whatsapp.net", ".fbcdn.net")
_ID = re.compile(r"[0-9]{1,40}")
_UPLOAD = re.compile(r"upload:[A-Za-z0-9_=?&:.-]{1,500}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,2000}")
_NUMBER_FIELDS = (
    "id,display_phone_number,verified_name,name_status,code_verification_status,quality_rating,status,throughput,"
    "platform_type,is_on_biz_app,whatsapp_business_manager_messaging_limit"
)


@dataclass(frozen=True, slots=True)
class NumberState:
    """A number as Meta has it; words are Meta's own, empty where it says nothing."""

    phone_number_id: str
    display_phone_number: str
    verified_name: str
    name_status: str
    code_verification_status: str
    quality: str
    status: str
    throughput: str
    messaging_limit: str
    in_business_app: bool


class BusinessAPI:
    """Meta's doors for accounts and numbers."""

    def __init__(
        self, *, session: aiohttp.ClientSession, base_url: str = GRAPH_URL, version: str = GRAPH_VERSION
    ) -> None:
        self._session = session
        self._root = f"{base_url.rstrip('/')}/{version}"
        self._within = transport.timeout(total_seconds=transport.TOTAL_SECONDS)

    async def exchange_code(self, *, app_id: str, app_secret: str, code: str) -> str:
        """Return the business token that a signup's code is good for: once, and for 30 seconds."""
        params = {"client_id": app_id, "client_secret": app_secret, "code": code}
        answer = await self._call("GET", "oauth/access_token", None, params=params)
        token = text(answer.get("access_token"))
        if token is None:
            raise MetaUnreachable(Reason.UNREADABLE_ANSWER, may_have_happened=True)
        return token

    async def accounts_of_token(self, *, token: str, app_id: str, app_secret: str) -> frozenset[str]:
        """Return the ids of the accounts that a token of this app opens; none: it is another's, or no longer good."""
        params = {"input_token": token}
        answer = await self._call("GET", "debug_token", f"{app_id}|{app_secret}", params=params)
        data = answer.get("data")
        if not isinstance(data, dict) or data.get("is_valid") is not True or text(data.get("app_id")) != app_id:
            return frozenset()
        targets = [each.get("target_ids") for each in objects(data.get("granular_scopes"))]
        return frozenset(str(target) for found in targets if isinstance(found, list) for target in found)

    async def numbers(self, *, waba_id: str, token: str) -> tuple[NumberState, ...]:
        """Return the numbers of an account."""
        params = {"fields": _NUMBER_FIELDS, "limit": str(NUMBERS_PER_PAGE)}
        answer = await self._call("GET", f"{_checked(waba_id)}/phone_numbers", token, params=params)
        return tuple(_state(each) for each in objects(answer.get("data")))

    async def number(self, *, phone_number_id: str, token: str) -> NumberState:
        """Return one number."""
        return _state(await self._call("GET", _checked(phone_number_id), token, params={"fields": _NUMBER_FIELDS}))

    async def account(self, *, waba_id: str, token: str, fields: str) -> dict[str, Any]:
        """Return some fields of an account, as Meta wrote them."""
        return await self._call("GET", _checked(waba_id), token, params={"fields": fields})

    async def subscribed_apps(self, *, waba_id: str, token: str) -> frozenset[str]:
        """Return the ids of the apps that get an account's webhooks."""
        answer = await self._call("GET", f"{_checked(waba_id)}/subscribed_apps", token)
        apps = [each.get("whatsapp_business_api_data") for each in objects(answer.get("data"))]
        return frozenset(str(app["id"]) for app in apps if isinstance(app, dict) and "id" in app)

    async def subscribe(self, *, waba_id: str, token: str) -> None:
        """Have an account's webhooks come to this app."""
        await self._call("POST", f"{_checked(waba_id)}/subscribed_apps", token, body={})

    async def share_credit(self, *, credit_line_id: str, waba_id: str, token: str) -> str:
        """Attach the line of credit to an account, in euros, for ever; return the id of what was allocated."""
        params = {"waba_currency": "EUR", "waba_id": _checked(waba_id)}
        path = f"{_checked(credit_line_id)}/whatsapp_credit_sharing_and_attach"
        return text((await self._call("POST", path, token, params=params)).get("allocation_config_id")) or ""

    async def storage(self, *, phone_number_id: str, token: str) -> Mapping[str, Any]:
        """Return where Meta keeps the messages of a number: status and region."""
        answer = await self._call("GET", f"{_checked(phone_number_id)}/settings", token)
        found = answer.get("storage_configuration")
        return found if isinstance(found, dict) else {}

    async def set_storage(self, *, phone_number_id: str, token: str, region: str) -> None:
        """Choose where Meta keeps the messages of a number, before it is registered. region: DE is the EU."""
        chosen = {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": region}
        body = {"storage_configuration": chosen}
        await self._call("POST", f"{_checked(phone_number_id)}/settings", token, body=body)

    async def request_code(self, *, phone_number_id: str, token: str, method: str, language: str = "nl") -> None:
        """Have Meta send the owner of a number a code. method: SMS or VOICE."""
        body = {"code_method": method, "language": language}
        await self._call("POST", f"{_checked(phone_number_id)}/request_code", token, body=body)

    async def verify_code(self, *, phone_number_id: str, token: str, code: str) -> None:
        """Prove with that code that the number is its owner's."""
        await self._call("POST", f"{_checked(phone_number_id)}/verify_code", token, body={"code": code})

    async def register(self, *, phone_number_id: str, token: str, pin: str) -> None:
        """Register a number, with the PIN of its two-step verification: its own, or a first one."""
        body = {"messaging_product": "whatsapp", "pin": pin}
        await self._call("POST", f"{_checked(phone_number_id)}/register", token, body=body)

    async def set_profile(self, *, phone_number_id: str, token: str, profile: Mapping[str, Any]) -> None:
        """Put the profile that citizens see."""
        body = {"messaging_product": "whatsapp", **profile}
        await self._call("POST", f"{_checked(phone_number_id)}/whatsapp_business_profile", token, body=body)

    async def profile(self, *, phone_number_id: str, token: str) -> dict[str, Any]:
        """Return the profile that citizens see, as Meta wrote it."""
        params = {"fields": "about,description,address,email,websites,vertical,profile_picture_url"}
        answer = await self._call("GET", f"{_checked(phone_number_id)}/whatsapp_business_profile", token, params=params)
        found = objects(answer.get("data"))
        return dict(found[0]) if found else {}

    async def upload(self, *, app_id: str, token: str, content: bytes, content_type: str) -> str:
        """Put a file up for the app by Meta's resumable upload, in one piece; return the handle that names it.

        Source: Meta, "Resumable Upload API" (read 2026-11-26).
        """
        params = {"file_name": "photo", "file_length": str(len(content)), "file_type": content_type}
        begun = await self._call("POST", f"{_checked(app_id)}/uploads", token, params=params)
        session_id = text(begun.get("id")) or ""
        if not _UPLOAD.fullmatch(session_id):
            raise MetaUnreachable(Reason.UNREADABLE_ANSWER, may_have_happened=True)
        answer = await transport.exchange(
            session=self._session,
            method="POST",
            url=f"{self._root}/{session_id}",
            access_token=None,
            within=self._within,
            data=content,
            # Meta's page has this call with "OAuth", and all others with "Bearer".
            headers={"Authorization": f"OAuth {_secret(token)}", "file_offset": "0", "Content-Type": content_type},
        )
        handle = text(answer_of_call(status=answer.status, body=answer.body).get("h"))
        if handle is None:
            raise MetaUnreachable(Reason.UNREADABLE_ANSWER, may_have_happened=True)
        return handle

    async def picture(self, *, url: str, most_bytes: int) -> bytes:
        """Return the picture at an address of a profile; without a token, and from Meta's own hosts alone."""
        if not self._is_metas(url):
            raise MetaUnreachable(Reason.UNTRUSTED_URL, may_have_happened=False)
        answer = await transport.exchange(
            session=self._session,
            method="GET",
            url=url,
            access_token=None,
            within=self._within,
            most_bytes=most_bytes,
        )
        if answer.status != HTTPStatus.OK:
            answer_of_call(status=answer.status, body=answer.body)
            raise MetaUnreachable(reason_of_status(answer.status), may_have_happened=True)
        return answer.body

    def _is_metas(self, url: str) -> bool:
        try:
            parts, own = urlsplit(url), urlsplit(self._root)
        except ValueError:
            return False
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):  # the sandbox serves them itself
            return True
        return parts.scheme == "https" and (parts.hostname or "").endswith(PICTURE_HOSTS)

    async def _call(
        self,
        method: str,
        path: str,
        token: str | None,
        *,
        params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        request: dict[str, Any] = {"params": params} if params else {}
        if body is not None:
            request |= {"data": orjson.dumps(body), "headers": {"Content-Type": "application/json"}}
        answer = await transport.exchange(
            session=self._session,
            method=method,
            url=f"{self._root}/{path}",
            access_token=token,
            within=self._within,
            **request,
        )
        return answer_of_call(status=answer.status, body=answer.body)


def _checked(meta_id: str) -> str:
    """Return an id that cannot change the path.  Raises MetaUnreachable."""
    if not _ID.fullmatch(meta_id):
        raise MetaUnreachable(Reason.INVALID_REQUEST, may_have_happened=False)
    return meta_id


def _secret(token: str) -> str:
    """Return a token that cannot add a header.  Raises MetaUnreachable."""
    if not _TOKEN.fullmatch(token):
        raise MetaUnreachable(Reason.INVALID_REQUEST, may_have_happened=False)
    return token


def _state(found: Mapping[str, Any]) -> NumberState:
    throughput = found.get("throughput")
    return NumberState(
        phone_number_id=str(found.get("id") or ""),
        display_phone_number=text(found.get("display_phone_number")) or "",
        verified_name=text(found.get("verified_name")) or "",
        name_status=text(found.get("name_status")) or "",
        code_verification_status=text(found.get("code_verification_status")) or "",
        quality=text(found.get("quality_rating")) or "",
        status=text(found.get("status")) or "",
        throughput=(text(throughput.get("level")) or "") if isinstance(throughput, dict) else "",
        messaging_limit=text(found.get("whatsapp_business_manager_messaging_limit")) or "",
        in_business_app=found.get("is_on_biz_app") is True,
    )
