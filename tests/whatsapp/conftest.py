"""The payload cases of tests/payloads/whatsapp, and what every test here needs to take them apart."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from whatsapp.payloads import WebhookEvent, split

PAYLOADS = Path(__file__).parent.parent / "payloads" / "whatsapp"
RECEIVED_AT = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)


@pytest.fixture
def load() -> Callable[[str], Any]:
    return lambda case: orjson.loads((PAYLOADS / f"{case}.json").read_bytes())


@pytest.fixture
def events_of(load: Callable[[str], Any]) -> Callable[[str], list[WebhookEvent]]:
    return lambda case: split(body=load(case), received_at=RECEIVED_AT)


@pytest.fixture
def only_event_of(events_of: Callable[[str], list[WebhookEvent]]) -> Callable[[str], WebhookEvent]:
    def only(case: str) -> WebhookEvent:
        (event,) = events_of(case)
        return event

    return only


@pytest.fixture
def all_cases() -> list[str]:
    return sorted(path.stem for path in PAYLOADS.glob("*.json"))
