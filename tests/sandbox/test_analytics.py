"""Analytics count what was sent, without COST, by the granularity and the dimensions asked for."""

from typing import Any

import pytest
from sandbox_doors import NUMBER, WABA, Doors

DAY = 86400


async def at(doors: Doors, moment: str) -> None:
    await doors.control("POST", "clock", {"to": moment})


async def ask(doors: Doors, expression: str) -> Any:
    status, answer = await doors.graph("GET", WABA, params={"fields": expression})
    return answer.get("data", answer) if status == 200 else answer["error"]["code"]


async def seconds(doors: Doors) -> int:
    return int(doors.sandbox.world.clock.now())


async def send_template(doors: Doors, to: str = "+31697000001") -> None:
    parameters = [{"type": "text", "text": "Anna"}, {"type": "text", "text": "1 mei"}]
    components = [{"type": "body", "parameters": parameters}]
    template = {"name": "afspraak", "language": {"code": "nl"}, "components": components}
    assert (await doors.send(to=to, type="template", template=template))[0] == 200
    await doors.until_quiet()


@pytest.fixture
async def sent(doors: Doors) -> Doors:
    """Two templates and a reply on 9 November 2026, a failed one, and a template to Belgium the day after."""
    await at(doors, "2026-11-09T12:00:00+01:00")
    await send_template(doors)
    await doors.write()
    await doors.send()
    await send_template(doors)
    await doors.control("POST", "faults", {"sends": [{"kind": "failed_status", "code": 131026}]})
    await doors.send()
    await doors.until_quiet()
    await doors.control("POST", "clock", {"advance_seconds": DAY})
    await send_template(doors, to="+32470000001")
    return doors


async def test_messages_are_counted_by_day(sent: Doors) -> None:
    now = await seconds(sent)
    found = await ask(sent, f"analytics.start({now - 7 * DAY}).end({now + DAY}).granularity(DAY)")
    points = found["analytics"]["data_points"]
    assert [(each["sent"], each["delivered"]) for each in points] == [(3, 3), (1, 1)]
    assert points[0]["end"] - points[0]["start"] == DAY
    assert found["analytics"]["country_codes"] == ["BE", "NL"]


async def test_pricing_is_counted_by_dimension_and_never_with_its_cost(sent: Doors) -> None:
    now = await seconds(sent)
    expression = (
        f"pricing_analytics.start({now - 7 * DAY}).end({now + DAY}).granularity(MONTHLY)"
        '.metric_types(["COST","VOLUME"]).dimensions(["PRICING_CATEGORY","PRICING_TYPE","COUNTRY"])'
    )
    points = (await ask(sent, f"id,name,{expression}"))["pricing_analytics"]["data"][0]["data_points"]
    counted = {(each["pricing_category"], each["pricing_type"], each["country"]): each["volume"] for each in points}
    # Since October 2026 a template inside the window counts too; the first 1000 service messages are free.
    assert counted == {
        ("UTILITY", "REGULAR", "NL"): 2,
        ("SERVICE", "FREE_CUSTOMER_SERVICE", "NL"): 1,
        ("UTILITY", "REGULAR", "BE"): 1,
    }
    assert not any("cost" in each for each in points)


async def test_conversations_are_of_24_hours_before_per_message_pricing(doors: Doors) -> None:
    await at(doors, "2025-06-02T12:00:00+02:00")
    for _ in range(2):
        await send_template(doors)
    await at(doors, "2025-07-02T12:00:00+02:00")
    for _ in range(2):
        await send_template(doors)
    now = await seconds(doors)
    expression = f"conversation_analytics.start({now - 40 * DAY}).end({now + DAY}).granularity(MONTHLY)"
    found = await ask(doors, f'{expression}.dimensions(["CONVERSATION_CATEGORY","PHONE"])')
    points = found["conversation_analytics"]["data"][0]["data_points"]
    assert [(each["conversation_category"], each["conversation"]) for each in points] == [
        ("UTILITY", 1),
        ("UTILITY", 2),
    ]
    assert {each["phone_number"] for each in points} == {doors.sandbox.world.numbers[NUMBER].digits}


@pytest.mark.parametrize(
    "wrong", ["start(1).end(2).granularity(DAY)", "granularity(DAY)", "start({now}).end({now}0).granularity(HOURLY)"]
)
async def test_an_unfit_question_is_refused(doors: Doors, wrong: str) -> None:
    assert await ask(doors, "analytics." + wrong.replace("{now}", str(await seconds(doors)))) == 100


async def test_templates_are_counted_once_that_is_switched_on(sent: Doors) -> None:
    now = await seconds(sent)
    template_id = next(iter(sent.sandbox.world.businesses[WABA].templates.values())).id
    asked = {
        "start": str(now - 7 * DAY),
        "end": str(now + DAY),
        "granularity": "DAILY",
        "template_ids": f"[{template_id}]",
        "metric_types": "cost,sent,delivered,read",
    }
    assert (await sent.graph("GET", f"{WABA}/template_analytics", params=asked))[0] == 400
    await sent.graph("POST", WABA, params={"is_enabled_for_insights": "true"})
    status, answer = await sent.graph("GET", f"{WABA}/template_analytics", params=asked)
    points = answer["data"][0]["data_points"]
    assert (status, [(each["sent"], each["delivered"], each["read"]) for each in points]) == (
        200,
        [(2, 2, 2), (1, 1, 1)],
    )
    other = {**asked, "template_ids": "[1]"}
    assert (await sent.graph("GET", f"{WABA}/template_analytics", params=other))[0] == 400
