"""What becomes of sends: accepted, refused with Meta's codes, and followed by statuses."""

import base64

from sandbox_doors import Doors, Platform


async def test_it_accepts_a_text_within_the_window_and_reports_its_statuses(doors: Doors, platform: Platform) -> None:
    await doors.write()
    status, answer = await doors.send(biz_opaque_callback_data="our-id")
    assert status == 200
    assert answer["contacts"] == [{"input": "+31697000001", "wa_id": "31697000001"}]
    await doors.until_quiet()
    statuses = platform.updates("statuses")
    assert [each["status"] for each in statuses] == ["sent", "delivered", "read"]
    assert {each["id"] for each in statuses} == {answer["messages"][0]["id"]}
    assert {each["biz_opaque_callback_data"] for each in statuses} == {"our-id"}
    assert ["pricing" in each for each in statuses] == [True, True, False]


async def test_a_wamid_holds_the_phone_number(doors: Doors) -> None:
    await doors.write()
    _, answer = await doors.send()
    assert b"31697000001" in base64.b64decode(answer["messages"][0]["id"].removeprefix("wamid."))


async def test_it_refuses_free_form_outside_the_window(doors: Doors) -> None:
    status, answer = await doors.send()
    assert (status, answer["error"]["code"]) == (400, 131047)
    assert answer["error"]["error_data"]["details"]
