"""Faults on demand do what they say, once for each count, and the books tell what really happened."""

import asyncio
from typing import Any

import aiohttp
import pytest
from sandbox_doors import NUMBER, Doors, Platform


async def arrange(doors: Doors, **fault: Any) -> None:
    await doors.write()
    await doors.control("POST", "faults", {"sends": [fault]})


async def outcomes(doors: Doors) -> list[str]:
    return [row["outcome"] for row in (await doors.control("GET", "books?list=sends"))["sends"]["rows"]]


async def test_an_error_is_given_as_often_as_asked_and_nothing_is_accepted(doors: Doors) -> None:
    await arrange(doors, kind="error", code=131056, count=2)
    codes = [(await doors.send())[1].get("error", {}).get("code") for _ in range(3)]
    assert codes == [131056, 131056, None]
    assert await outcomes(doors) == ["REFUSED", "REFUSED", "ACCEPTED"]


async def test_an_error_after_accepting_still_delivers(doors: Doors, platform: Platform) -> None:
    await arrange(doors, kind="error_after_accept", code=131000)
    status, answer = await doors.send(biz_opaque_callback_data="mine")
    assert (status, answer["error"]["code"]) == (500, 131000)
    await doors.until_quiet()
    assert {each["biz_opaque_callback_data"] for each in platform.updates("statuses")} == {"mine"}


async def test_a_failed_status_comes_by_webhook(doors: Doors, platform: Platform) -> None:
    await arrange(doors, kind="failed_status", code=131049)
    assert (await doors.send())[0] == 200
    await doors.until_quiet()
    assert [each["errors"][0]["code"] for each in platform.updates("statuses")] == [131049]


async def test_a_delay_answers_late(doors: Doors) -> None:
    await arrange(doors, kind="delay", seconds=0.2)
    before = asyncio.get_running_loop().time()
    assert (await doors.send())[0] == 200
    assert asyncio.get_running_loop().time() - before >= 0.2


async def test_a_time_out_after_accepting_leaves_the_send_in_the_books(doors: Doors, platform: Platform) -> None:
    await arrange(doors, kind="timeout_after_accept", hang_seconds=10)
    with pytest.raises(TimeoutError):
        await _send_briefly(doors)
    await doors.until_quiet()
    sends = (await doors.control("GET", "books?list=sends&opaque=lost"))["sends"]
    assert [row["outcome"] for row in sends["rows"]] == ["ACCEPTED"]
    assert [each["status"] for each in platform.updates("statuses")] == ["sent", "delivered", "read"]


async def _send_briefly(doors: Doors) -> None:
    payload = {
        "messaging_product": "whatsapp",
        "to": "+31697000001",
        "type": "text",
        "text": {"body": "Dag"},
        "biz_opaque_callback_data": "lost",
    }
    await doors.graph("POST", f"{NUMBER}/messages", json=payload, timeout=aiohttp.ClientTimeout(total=0.2))


@pytest.mark.parametrize(
    ("kind", "outcome"), [("disconnect_after_accept", "ACCEPTED"), ("disconnect_before", "REFUSED")]
)
async def test_the_connection_is_cut_without_an_answer(doors: Doors, kind: str, outcome: str) -> None:
    await arrange(doors, kind=kind)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await doors.send()
    assert await outcomes(doors) == [outcome]


@pytest.mark.parametrize(("kind", "outcome"), [("html_500", "REFUSED"), ("html_500_after_accept", "ACCEPTED")])
async def test_a_500_comes_without_metas_error_body(doors: Doors, kind: str, outcome: str) -> None:
    await arrange(doors, kind=kind)
    with pytest.raises(aiohttp.ContentTypeError):
        await doors.send()
    assert await outcomes(doors) == [outcome]


async def test_a_fault_of_another_number_is_not_met(doors: Doors) -> None:
    await arrange(doors, kind="error", code=131056, phone_number_id="another")
    assert (await doors.send())[0] == 200
    left = await doors.control("GET", "faults")
    assert [fault["kind"] for fault in left["sends"]] == ["error"]
    assert (await doors.control("DELETE", "faults"))["sends"] == []


async def test_a_call_that_is_no_send_is_refused_or_cut_off_and_nothing_is_done(doors: Doors) -> None:
    calls = [
        {"kind": "error", "code": 190, "operation": "POST settings", "count": 2},
        {"kind": "disconnect_before", "operation": f"POST {NUMBER}"},
    ]
    await doors.control("POST", "faults", {"calls": calls})
    assert (await doors.control("GET", "faults"))["calls"] == [
        {"kind": "error", "count": 2, "operation": "POST settings", "code": 190},
        {"kind": "disconnect_before", "count": 1, "operation": f"POST {NUMBER}"},
    ]
    assert (await doors.graph("GET", f"{NUMBER}/settings"))[0] == 200, "to look is another call"
    chosen = {"user_identity_change": {"enable_identity_key_check": True}}
    for status, code in ((401, 190), (401, 190), (200, None)):
        answered, answer = await doors.graph("POST", f"{NUMBER}/settings", json=chosen)
        assert (answered, answer.get("error", {}).get("code")) == (status, code)
        shown = (await doors.graph("GET", f"{NUMBER}/settings"))[1]["user_identity_change"]
        assert shown["enable_identity_key_check"] is (code is None)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await doors.graph("POST", NUMBER, json={"pin": "123456"})
    assert (await doors.control("GET", f"numbers/{NUMBER}"))["pin"] is None
    assert (await doors.graph("POST", NUMBER, json={"pin": "123456"}))[0] == 200
    asked = (await doors.control("GET", "books?list=changes"))["changes"]["rows"]
    assert [row["status"] for row in asked] == [401, 401, 200, 200], "what was cut off is in no books"
    await doors.control("POST", "faults", {"calls": calls})
    assert (await doors.control("DELETE", "faults"))["calls"] == []


async def test_duplicates_of_webhooks_reach_the_platform(doors: Doors, platform: Platform) -> None:
    await doors.control("POST", "faults", {"webhooks": {"duplicate": 1.0}})
    wamid = await doors.write()
    await doors.until_quiet()
    assert [each["id"] for each in platform.updates("messages")] == [wamid, wamid]
    summary = await doors.control("GET", "books/summary")
    assert (summary["inbound_messages"], summary["inbound_duplicates"]) == (1, 1)


async def test_reordered_webhooks_come_in_another_order(doors: Doors, platform: Platform) -> None:
    await doors.control("POST", "faults", {"webhooks": {"reorder": 0.5}})
    updates = [
        {
            "phone_number_id": NUMBER,
            "citizen": {"phone": "31697000001"},
            "message": {"type": "text", "text": {"body": str(order)}},
        }
        for order in range(20)
    ]
    await doors.control("POST", "inbound", {"updates": updates, "wait": True})
    bodies = [each["text"]["body"] for each in platform.updates("messages")]
    assert sorted(bodies, key=int) == [str(order) for order in range(20)]
    assert bodies != sorted(bodies, key=int)


@pytest.mark.parametrize(
    "fault",
    [
        {"sends": [{"kind": "flood"}]},
        {"sends": [{"kind": "error"}]},
        {"sends": [{"kind": "error", "code": 1, "count": 0}]},
        {"calls": [{"kind": "html_500", "operation": "POST register"}]},
        {"calls": [{"kind": "error", "operation": "POST register"}]},
        {"calls": [{"kind": "disconnect_before"}]},
        {"calls": [{"kind": "disconnect_before", "operation": "POST register", "count": 0}]},
        {"webhooks": {"lose": 1}},
        {"webhooks": {"delay_seconds": [2, 1]}},
    ],
)
async def test_a_fault_that_does_not_exist_is_refused(doors: Doors, fault: dict[str, Any]) -> None:
    await doors.control("POST", "faults", fault, status=400)
    left = await doors.control("GET", "faults")
    assert (left["sends"], left["calls"]) == ([], [])


async def test_a_dropped_webhook_is_sent_again_until_an_answer_is_read(doors: Doors, platform: Platform) -> None:
    platform.answers_after = 0.2  # longer than a POST waits that is to be dropped
    await doors.control("POST", "faults", {"webhooks": {"drop": 1.0}})
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"phone": "31697000001"},
        "message": {"type": "text", "text": {"body": "Hallo"}},
    }
    await doors.control("POST", "inbound", {"updates": [update]})
    await asyncio.sleep(0.3)
    assert (await doors.control("GET", "books/summary"))["unacknowledged"] == 1
    await doors.control("POST", "faults", {"webhooks": {}})
    await doors.until_quiet()
    summary = await doors.control("GET", "books/summary")
    assert (summary["inbound_messages"], summary["inbound_acknowledged"]) == (1, 1)
    assert summary["webhook_answers"]["None"] >= 1
