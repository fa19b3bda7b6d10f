"""The sandbox's count of conversations meets every case that was worked by hand."""

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.conversations import Close, Conversation, Link, Report, count

FILE = Path(__file__).parents[1] / "cases" / "conversations.json"
CASES = json.loads(FILE.read_text())["cases"]


def read_step(step: dict[str, Any]) -> Report | Link | Close:
    if "close" in step:
        return Close(step["close"])
    if "link" in step:
        return Link(step["link"]["number"], step["link"]["from"], step["link"]["to"])
    raw = step["report"]
    pricing, template = raw.get("pricing"), raw.get("template") or {}
    return Report(
        number=raw["number"],
        contact=raw["contact"],
        wamid=raw["wamid"],
        status=raw["status"],
        stamp=datetime.fromisoformat(raw["stamp"]),
        pricing_type=pricing.get("type", "") if pricing else None,
        pricing_category=pricing.get("category") if pricing else None,
        template=template.get("name"),
        template_category=template.get("category"),
        purpose=raw.get("purpose"),
    )


def row(conversation: Conversation) -> tuple[Any, ...]:
    return (
        conversation.number,
        conversation.contact,
        conversation.category,
        conversation.opened_at,
        conversation.ends_at,
        conversation.month,
        conversation.purpose,
        conversation.template,
        conversation.frozen,
    )


def expected_row(raw: dict[str, Any]) -> tuple[Any, ...]:
    return (
        raw["number"],
        raw["contact"],
        raw["category"],
        datetime.fromisoformat(raw["opened_at"]),
        datetime.fromisoformat(raw["ends_at"]),
        raw["month"],
        raw.get("purpose"),
        raw.get("template"),
        raw.get("frozen", False),
    )


def assert_met(case: dict[str, Any], log: list[Report | Link | Close]) -> None:
    outcome = count(log=log)
    expected = case["expected"]
    assert sorted(map(row, outcome.conversations), key=str) == sorted(
        map(expected_row, expected["conversations"]), key=str
    )
    assert {(c.run, c.number, c.category, c.month): c.quantity for c in outcome.corrections} == {
        (c["run"], c["number"], c["category"], c["month"]): c["quantity"] for c in expected.get("corrections", [])
    }


def test_there_are_twenty_cases() -> None:
    assert len(CASES) >= 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_meets_the_case(case: dict[str, Any]) -> None:
    assert_met(case, [read_step(step) for step in case["steps"]])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_meets_the_case_shuffled_and_repeated_between_closings(case: dict[str, Any], seed: int) -> None:
    drawn, log, stretch = random.Random(seed), [], []
    for step in [*map(read_step, case["steps"]), None]:
        if step is not None and not isinstance(step, Close):
            stretch += [step] * drawn.randint(1, 3)
            continue
        drawn.shuffle(stretch)
        log += stretch
        stretch = []
        if step is not None:
            log.append(step)
    assert_met(case, log)
