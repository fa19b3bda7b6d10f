"""The sandbox's count of conversations meets every case that was worked by hand."""

import json
import random
from datetime import UTC, datetime, timedelta
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
        pricing_model=pricing.get("model") if pricing else None,
        pricing_type=pricing.get("type") if pricing else None,
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


NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


def delivered(wamid: str, hours: float, **more: Any) -> Report:
    return Report("n1", "c1", wamid, "delivered", NOON + timedelta(hours=hours), **more)


def opened(*log: Report) -> list[tuple[str, float]]:
    """List the conversations by category and length in hours."""
    found = count(log=list(log)).conversations
    return [(each.category, (each.ends_at - each.opened_at) / timedelta(hours=1)) for each in found]


def test_a_category_of_an_entry_point_without_its_type_opens_an_ordinary_period() -> None:
    """Only the type free_entry_point opens 72 hours that take in everything."""
    odd = delivered("w1", 0, pricing_type="regular", pricing_category="referral_conversion")
    within = delivered("w2", 1, pricing_type="regular", pricing_category="utility")
    assert opened(odd, within) == [("REFERRAL_CONVERSION", 24.0), ("UTILITY", 24.0)]
    real = delivered("w1", 0, pricing_type="free_entry_point", pricing_category="referral_conversion")
    assert opened(real, within) == [("REFERRAL_CONVERSION", 72.0)]


def test_an_entry_point_inside_an_ordinary_period_of_its_category_opens_none() -> None:
    odd = delivered("w1", 0, pricing_type="regular", pricing_category="referral_conversion")
    real = delivered("w2", 1, pricing_type="free_entry_point", pricing_category="referral_conversion")
    assert opened(odd, real) == [("REFERRAL_CONVERSION", 24.0)]


def test_two_pricings_of_one_status_and_stamp_give_the_same_conversation_in_either_order() -> None:
    one = delivered("w1", 0, pricing_model="PMP", pricing_type="regular", pricing_category="utility")
    other = delivered("w1", 0, pricing_model="PMP", pricing_type="regular", pricing_category="marketing")
    assert opened(one, other) == opened(other, one) == [("MARKETING", 24.0)]


def test_a_frozen_period_of_24_hours_takes_in_only_its_own_category() -> None:
    late = datetime(2026, 6, 30, 21, tzinfo=UTC)
    odd = Report("n1", "c1", "w1", "delivered", late, pricing_type="regular", pricing_category="referral_conversion")
    after = Report("n1", "c1", "w2", "delivered", late + timedelta(hours=3), pricing_category="utility")
    found = count(log=[odd, Close("2026-06"), after]).conversations
    assert [(each.category, each.frozen) for each in found] == [("REFERRAL_CONVERSION", True), ("UTILITY", False)]
