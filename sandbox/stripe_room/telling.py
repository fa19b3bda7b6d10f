"""Webhooks as Stripe sends them: signed, at least once, in no order that could be relied on.

They are sent when asked for, so that a test says what comes when: `POST /_sandbox/stripe/deliver`.
"""

import hashlib
import hmac
import json
import random
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

ORDERS = ("as_is", "reversed", "shuffled")


@dataclass(slots=True)
class Teller:
    """Where webhooks go, and how far they are."""

    url: str = ""
    secret: str = ""
    told: int = 0

    async def deliver(
        self, events: list[dict[str, Any]], *, order: str, times: int, again: bool, seed: int, host: str
    ) -> list[int]:
        """Send what was not sent yet, or all `again`; return the statuses that came back."""
        waiting = list(events if again else events[self.told :])
        self.told = len(events)
        posts = [event for event in waiting for _ in range(times)]
        if order == "reversed":
            posts.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(posts)
        headers = {"Content-Type": "application/json"} | ({"Host": host} if host else {})
        statuses = []
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            for event in posts:
                body = json.dumps(event)
                signed = headers | {"Stripe-Signature": sign(body=body, secret=self.secret)}
                async with session.post(self.url, data=body, headers=signed) as answer:
                    statuses.append(answer.status)
        return statuses


def sign(*, body: str, secret: str, at: int | None = None) -> str:
    """Return the header that Stripe signs a body with, now or at another moment (seconds)."""
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"
