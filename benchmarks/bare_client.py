"""A bare asynchronous client, the reference of `outbound`: `… bare_client PORT NUMBER TOKEN COUNT CALLS`.

The same requests as our lane's, with the same HTTP library and loop, and as many calls in flight; it keeps nothing.
"""

import asyncio
import sys
import uuid
from collections.abc import Iterator

import orjson
import uvloop

from benchmarks.outboxes import TEMPLATE
from whatsapp.client import GRAPH_VERSION
from whatsapp.outgoing import Recipient, TemplateMessage, request_body
from whatsapp.transport import open_session


def bodies(*, count: int) -> list[bytes]:
    """Return so many requests to as many citizens."""
    values = {"1": "morgen om tien uur"}
    content = TemplateMessage.with_body(name=TEMPLATE["name"], language=TEMPLATE["language"], values=values)
    return [
        orjson.dumps(
            request_body(
                recipient=Recipient(wa_id=f"316{place:08d}", bsuid=None),
                content=content,
                our_id=str(uuid.uuid4()),
            )
        )
        for place in range(count)
    ]


async def _send(url: str, token: str, requests: list[bytes], calls: int) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with open_session(connections=0) as session:

        async def work(left: Iterator[bytes]) -> None:
            for body in left:
                async with session.post(url, data=body, headers=headers) as answer:
                    if answer.status != 200 or not await answer.read():
                        raise SystemExit(f"the sandbox answered {answer.status}")

        left = iter(requests)
        await asyncio.gather(*(work(left) for _ in range(calls)))


if __name__ == "__main__":
    port, number, token, count, calls = sys.argv[1:]
    address = f"http://127.0.0.1:{port}/{GRAPH_VERSION}/{number}/messages"
    made = bodies(count=int(count))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_send(address, token, made, int(calls)))
