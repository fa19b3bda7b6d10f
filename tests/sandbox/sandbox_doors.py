"""What the sandbox's tests speak with: its doors by HTTP, and a platform of a few lines that receives its webhooks."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.app import Sandbox

TOKEN = "token-of-enschede"
NUMBER = "106540000000001"
WABA = "200000000000001"


@dataclass
class Received:
    """One POST as it came in."""

    raw: bytes
    signature: str
    body: dict[str, Any]


@dataclass
class Platform:
    """Receives webhooks, answering as told."""

    url: str = ""
    posts: list[Received] = field(default_factory=list)
    # Answers still to be given before 200 becomes the answer.
    answers: list[int] = field(default_factory=list)
    answers_after: float = 0.0  # seconds

    def updates(self, kind: str) -> list[dict[str, Any]]:
        """List all elements of `messages` or `statuses` that came, in order."""
        return [each for value in self.values() for each in value.get(kind, [])]

    def values(self) -> list[dict[str, Any]]:
        """List the values of all changes that came, in order."""
        return [change["value"] for post in self.posts for entry in post.body["entry"] for change in entry["changes"]]

    async def receive(self, request: web.Request) -> web.Response:
        """Take a webhook."""
        if request.method == "GET":
            known = request.query.get("hub.verify_token") == "sandbox-verify"
            return web.Response(status=200 if known else 403, text=request.query["hub.challenge"] if known else "")
        raw = await request.read()
        await asyncio.sleep(self.answers_after)
        self.posts.append(Received(raw, request.headers["X-Hub-Signature-256"], json.loads(raw)))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@dataclass
class Doors:
    """The sandbox's doors, by HTTP."""

    sandbox: Sandbox
    session: aiohttp.ClientSession
    token: str = TOKEN

    @property
    def url(self) -> str:
        return self.sandbox.world.public_url

    async def control(self, method: str, path: str, payload: Any = None, *, status: int = 200) -> Any:
        """Call the control door, expecting the status."""
        async with self.session.request(method, f"{self.url}/_sandbox/{path}", json=payload) as answer:
            body = await answer.json()
            assert answer.status == status, body
            return body

    async def graph(self, method: str, path: str, **arguments: Any) -> tuple[int, Any]:
        """Call the Graph API with the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(method, f"{self.url}/v24.0/{path}", headers=headers, **arguments) as answer:
            return answer.status, await answer.json()

    async def send(self, *, number: str = NUMBER, **message: Any) -> tuple[int, Any]:
        """Send a message; a text unless told otherwise."""
        payload = {"messaging_product": "whatsapp", "to": "+31697000001", "type": "text", **message}
        if payload["type"] == "text":
            payload.setdefault("text", {"body": "Dag!"})
        return await self.graph("POST", f"{number}/messages", json=payload)

    async def write(self, body: str = "Hallo", *, phone: str = "31697000001", number: str = NUMBER) -> str:
        """Let a citizen write a text that is acknowledged."""
        update = {
            "phone_number_id": number,
            "citizen": {"phone": phone, "name": "Inwoner"},
            "message": {"type": "text", "text": {"body": body}},
        }
        answer = await self.control("POST", "inbound", {"updates": [update], "wait": True})
        return str(answer["wamids"][0])

    async def until_quiet(self) -> None:
        """Wait until nothing is under way."""
        for _ in range(1000):
            if (await self.control("GET", "quiet"))["quiet"]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("never quiet")


def business(*, waba: str = WABA, token: str = TOKEN, number: str = NUMBER, name: str = "Enschede") -> dict[str, Any]:
    """Describe a business with one number and one template."""
    return {
        "waba_id": waba,
        "name": name,
        "access_token": token,
        "phone_numbers": [{"id": number, "display_phone_number": f"+31 53 {number[-7:]}"}],
        "templates": [
            {
                "name": "afspraak",
                "language": "nl",
                "category": "UTILITY",
                "components": [{"type": "BODY", "text": "Dag {{1}}, uw afspraak is op {{2}} bij ons."}],
            }
        ],
    }
