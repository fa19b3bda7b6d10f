"""A template is paused, disabled, given another category and quality, and what it says goes by the sandbox's clock."""

from typing import Any

import pytest
from sandbox_doors import WABA, Doors, Platform

HOUR = 3600
NAMED = {"waba_id": WABA, "name": "afspraak"}


async def decide(doors: Doors, action: str, **more: Any) -> Any:
    return await doors.control("POST", "templates", {**NAMED, "action": action, **more})


async def pass_time(doors: Doors, seconds: float) -> None:
    await doors.control("POST", "clock", {"advance_seconds": seconds})
    await doors.until_quiet()


async def send(doors: Doors, name: str = "afspraak", values: tuple[str, ...] = ("Anna", "1 mei")) -> int:
    """Send the template; return the code of the refusal, or 0."""
    components = [{"type": "body", "parameters": [{"type": "text", "text": each} for each in values]}]
    template = {"name": name, "language": {"code": "nl"}, "components": components}
    status, answer = await doors.send(type="template", template=template)
    return 0 if status == 200 else answer["error"]["code"]


async def test_low_quality_pauses_for_three_hours_then_six_then_disables(doors: Doors, platform: Platform) -> None:
    for hours in (3, 6):
        await decide(doors, "pause")
        assert await send(doors) == 132015
        await pass_time(doors, hours * HOUR - 60)
        assert await send(doors) == 132015
        await pass_time(doors, 120)
        assert await send(doors) == 0
    await decide(doors, "pause")
    assert await send(doors) == 132016
    await doors.until_quiet()
    told = [value for value in platform.values() if "event" in value]
    assert [(value["event"], value["other_info"]["title"]) for value in told] == [
        ("PAUSED", "FIRST_PAUSE"),
        ("APPROVED", "UNPAUSE"),
        ("PAUSED", "SECOND_PAUSE"),
        ("APPROVED", "UNPAUSE"),
        ("DISABLED", "DISABLED"),
    ]
    assert (await doors.graph("DELETE", f"{WABA}/message_templates", params={"name": "afspraak"}))[0] == 400


async def test_another_category_is_told_a_day_before_and_then_priced(doors: Doors, platform: Platform) -> None:
    await decide(doors, "recategorise", to="MARKETING")
    await doors.until_quiet()
    impending = platform.values()[-1]
    assert (impending["new_category"], impending["correct_category"]) == ("UTILITY", "MARKETING")
    assert (await decide(doors, "quality", to="YELLOW"))["category"] == "UTILITY"
    await pass_time(doors, 24 * HOUR)
    done = platform.values()[-1]
    assert (done["previous_category"], done["new_category"]) == ("UTILITY", "MARKETING")
    platform.posts.clear()
    assert await send(doors) == 0
    await doors.until_quiet()
    assert {each["pricing"]["category"] for each in platform.updates("statuses") if "pricing" in each} == {"marketing"}


async def test_another_category_comes_without_notice_to_those_warned(doors: Doors, platform: Platform) -> None:
    assert (await decide(doors, "recategorise", to="MARKETING", notice_seconds=0))["previous_category"] == "UTILITY"
    await doors.until_quiet()
    assert [value["new_category"] for value in platform.values()] == ["MARKETING"]


async def test_quality_is_told_and_shown(doors: Doors, platform: Platform) -> None:
    await decide(doors, "quality", to="RED")
    await doors.until_quiet()
    assert (platform.values()[-1]["previous_quality_score"], platform.values()[-1]["new_quality_score"]) == (
        "UNKNOWN",
        "RED",
    )
    listed = (await doors.graph("GET", f"{WABA}/message_templates"))[1]["data"]
    assert listed[0]["quality_score"]["score"] == "RED"


@pytest.mark.parametrize(
    "wrong", [{"action": "sing"}, {"action": "quality", "to": "BLUE"}, {"name": "geen", "action": "pause"}]
)
async def test_an_unknown_decision_is_refused(doors: Doors, wrong: dict[str, Any]) -> None:
    await doors.control("POST", "templates", {**NAMED, **wrong}, status=400)


async def made(doors: Doors, **more: Any) -> tuple[int, Any]:
    body = {"name": "brief", "language": "nl", "category": "UTILITY", "components": [{"type": "BODY", "text": "Dag"}]}
    answer = await doors.graph("POST", f"{WABA}/message_templates", json={**body, **more})
    await doors.until_quiet()
    return answer


async def test_an_approved_template_is_edited_once_a_day_and_never_to_another_category(doors: Doors) -> None:
    template_id = (await made(doors))[1]["id"]
    edit = {"components": [{"type": "BODY", "text": "Hallo"}]}
    assert (await doors.graph("POST", template_id, json={"category": "MARKETING"}))[0] == 400
    assert (await doors.graph("POST", template_id, json=edit))[1]["success"]
    await doors.until_quiet()
    assert (await doors.graph("POST", template_id, json=edit))[0] == 400
    await pass_time(doors, 24 * HOUR + 1)
    assert (await doors.graph("POST", template_id, json=edit))[0] == 200


async def test_the_name_of_a_deleted_template_is_free_after_30_days(doors: Doors) -> None:
    await made(doors)
    await doors.graph("DELETE", f"{WABA}/message_templates", params={"name": "brief"})
    assert (await made(doors))[0] == 400
    await pass_time(doors, 30 * 24 * HOUR + 1)
    assert (await made(doors))[0] == 200


async def test_there_are_only_so_many_templates(doors: Doors) -> None:
    await doors.control("POST", "switches", {"most_templates": 2})
    assert [(await made(doors, name=name))[0] for name in ("een", "twee")] == [200, 400]


@pytest.mark.parametrize(
    ("category", "seconds", "status"),
    [("AUTHENTICATION", 900, 200), ("AUTHENTICATION", 901, 400), ("UTILITY", 43_201, 400), ("UTILITY", -1, 200)],
)
async def test_a_time_to_live_has_its_range(doors: Doors, category: str, seconds: int, status: int) -> None:
    assert (await made(doors, category=category, message_send_ttl_seconds=seconds))[0] == status


async def test_what_is_not_delivered_in_its_time_is_dropped_without_a_word(doors: Doors, platform: Platform) -> None:
    await made(doors, name="kort", message_send_ttl_seconds=3600)
    citizen = {"phone_number_id": "106540000000001", "citizen": {"phone": "31697000001"}, "behaviour": "phone_off"}
    await doors.control("POST", "citizens", {**citizen, "off_seconds": 7200})
    platform.posts.clear()
    assert await send(doors, "kort", ()) == 0
    assert await send(doors) == 0
    await pass_time(doors, 7201)
    assert sorted(each["status"] for each in platform.updates("statuses")) == ["delivered", "read", "sent", "sent"]
    assert (await doors.control("GET", "books/summary"))["expired"] == 1
