"""The load of a chaos run: citizens who write of everything, agents who answer, and a system that sends by the API."""

import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.flows.live import Live, answer_until

CITIZENS = 150  # of each municipality
ANSWERED = {200, 201}


@dataclass
class Sent:
    """What a system asked to be sent: under one idempotency key, until it got an answer."""

    schema: str
    key: str
    message_id: str | None = None
    tries: int = 0


@dataclass
class Load:
    """Everybody who keeps the platform busy, until the block ends.

    per_second: messages of citizens, over all municipalities. sent: what the API answered for, to be held against the
    database.
    """

    live: Live
    per_second: float
    seed: int
    written: int = 0
    sent: list[Sent] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _recent: dict[str, list[str]] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> "Load":
        """Start."""
        for schema in self.live.towns:
            made = self.live.instance.manage(
                "create_api_key", schema, "--name", "Zaaksysteem", "--scopes", "messages:send", "--json"
            )
            self._keys[schema] = json.loads(made)["key"]
        self._threads = [threading.Thread(target=each) for each in (self._citizens, self._system)]
        self._threads.append(threading.Thread(target=answer_until, args=(self.live, self._stop)))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; what was written keeps arriving, because the sandbox tries again."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _citizens(self) -> None:
        dice = random.Random(self.seed)
        towns = list(self.live.towns)
        pause = 0.25
        while not self._stop.is_set():
            begun = time.monotonic()
            many = max(1, round(self.per_second * pause))
            updates = [self._update(schema=dice.choice(towns), dice=dice) for _ in range(many)]
            wamids = self.live.post("inbound", {"updates": updates, "wait": False})["wamids"]
            self.written += len(wamids)
            for update, wamid in zip(updates, wamids, strict=True):
                recent = self._recent.setdefault(json.dumps(update["citizen"]), [])
                recent.append(wamid)
                del recent[:-3]
            self._stop.wait(max(0.0, pause - (time.monotonic() - begun)))

    def _update(self, *, schema: str, dice: random.Random) -> dict[str, Any]:
        number, place = self.live.towns[schema][3], dice.randrange(CITIZENS)
        # One in ten hides the phone number: known by business-scoped id alone.
        citizen: dict[str, Any] = {"name": f"Inwoner {place}"}
        if place % 10:
            citizen["phone"] = f"+316970{place:05}"
        else:
            citizen["bsuid"] = f"NL.{number[-4:]}{place:08}"
        before = self._recent.get(json.dumps(citizen), [])
        update: dict[str, Any] = {"phone_number_id": number, "citizen": citizen}
        match dice.randrange(20):
            case 0:
                update["message"] = {"type": "location", "location": {"latitude": 52.1, "longitude": 5.1}}
            case 1:
                update["message"] = {"type": "contacts", "contacts": [{"name": {"formatted_name": "Buurman"}}]}
            case 2 if before:
                update["message"] = {"type": "reaction", "reaction": {"message_id": before[-1], "emoji": "👍"}}
            case 3 if before:
                update["message"] = {"type": "text", "text": {"body": "Hierover."}}
                update["context_wamid"] = before[0]
            case 4:
                update["message"] = {"type": "button", "button": {"payload": "JA", "text": "Ja"}}
            case 5:
                update["message"] = {"type": "image", "image": {"mime_type": "image/jpeg", "caption": "Kijk"}}
            case _:
                update["message"] = {"type": "text", "text": {"body": f"Vraag {self.written} 🚲"}}
        return update

    def _system(self) -> None:
        """Send by the API; what got no answer is asked again with the same key, until the platform gives one."""
        dice = random.Random(self.seed + 1)
        asked: list[tuple[Sent, bytes]] = []
        while not (self._stop.wait(0.2) and not asked):
            if not self._stop.is_set() and len(asked) < 20:
                schema, place = dice.choice(list(self.live.towns)), dice.randrange(CITIZENS)
                body = {"recipient": {"phoneNumber": f"+316970{place | 1:05}"}, "text": f"Van het zaaksysteem {place}"}
                asked.append((Sent(schema=schema, key=str(uuid.uuid4())), json.dumps(body).encode()))
            asked = [(sent, body) for sent, body in asked if not self._answered(sent, body)]

    def _answered(self, sent: Sent, body: bytes) -> bool:
        """Ask once; return whether an answer came that settles it."""
        sent.tries += 1
        request = urllib.request.Request(
            f"{self.live.instance.urls.web}/api/v1/messages",
            data=body,
            headers={
                "Host": f"{sent.schema}.localhost",
                "Authorization": f"Bearer {self._keys[sent.schema]}",
                "Content-Type": "application/json",
                "Idempotency-Key": sent.key,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                sent.message_id = json.load(answer)["id"]
        except urllib.error.HTTPError as error:
            # The window is closed for who never wrote; everything from 500 on says nothing yet.
            return (error.code < 500 and error.code not in {409, 429}) or _refused(error)
        except (OSError, ValueError, KeyError):
            return False
        self.sent.append(sent)
        return True


def _refused(error: urllib.error.HTTPError) -> bool:
    try:
        return json.load(error).get("code") == "window_closed"
    except (OSError, ValueError):
        return False
