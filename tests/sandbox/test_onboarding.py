"""A customer signs up, is given credit and a number, and what Meta limits on the way is limited."""

from typing import Any

import pytest
from sandbox_doors import NUMBER, WABA, Doors, Platform, business

HOUR = 3600
APP = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}
CREDIT = "700000000000001"


async def exchange(doors: Doors, code: str) -> tuple[int, Any]:
    return await doors.graph("GET", "oauth/access_token", params={**APP, "code": code})


async def register(doors: Doors, pin: str = "123456", number: str = NUMBER) -> int:
    """Register the number; return the code of the refusal, or 0."""
    body = {"messaging_product": "whatsapp", "pin": pin}
    status, answer = await doors.graph("POST", f"{number}/register", json=body)
    return 0 if status == 200 else answer["error"]["code"]


async def test_a_signup_lasts_from_the_code_to_the_first_message(doors: Doors, platform: Platform) -> None:
    described = {"waba_id": "9", "name": "Delft", "phone_number_id": "91", "display_phone_number": "+31 15 1234567"}
    made = await doors.control("POST", "signups", described)
    await doors.until_quiet()
    assert [each["event"] for each in platform.values()] == ["PARTNER_ADDED", "PARTNER_APP_INSTALLED"]
    entry = platform.posts[0].body["entry"][0]
    assert (entry["id"], entry["changes"][0]["value"]["waba_info"]["waba_id"]) == ("800000000000001", "9")
    assert made["message"]["data"] == {"waba_id": "9", "business_id": "99", "phone_number_id": "91"}
    doors.token = (await exchange(doors, made["code"]))[1]["access_token"]
    await doors.write(number="91")
    assert platform.updates("messages") == []
    await doors.graph("POST", "9/subscribed_apps")
    await doors.write(number="91")
    assert len(platform.updates("messages")) == 1
    assert (await doors.send(number="91"))[1]["error"]["code"] == 133010
    assert await register(doors, number="91") == 0
    assert (await doors.send(number="91"))[1]["error"]["code"] == 131042
    own, doors.token = doors.token, "sandbox-system-token"
    asked = {"waba_currency": "EUR", "waba_id": "9"}
    path = f"{CREDIT}/whatsapp_credit_sharing_and_attach"
    status, shared = await doors.graph("POST", path, params=asked)
    assert (status, shared["waba_id"]) == (200, "9")
    allocation = shared["allocation_config_id"]
    credential = (await doors.graph("GET", allocation, params={"fields": "receiving_credential"}))[1]
    funding = (await doors.graph("GET", "9", params={"fields": "primary_funding_id"}))[1]
    assert credential["receiving_credential"]["id"] == funding["primary_funding_id"]
    assert (await doors.graph("POST", path, params=asked))[0] == 400
    doors.token = own
    assert (await doors.send(number="91"))[0] == 200
    doors.token = "sandbox-system-token"
    assert (await doors.graph("DELETE", allocation))[1] == {"success": True}
    assert (await doors.send(number="91"))[1]["error"]["code"] == 131042


async def test_credit_is_shared_in_two_steps_too(doors: Doors) -> None:
    made = await doors.control("POST", "signups", {"waba_id": "9"})
    assert made["message"]["event"] == "FINISH_ONLY_WABA"
    asked = {"waba_currency": "EUR", "waba_id": "9"}
    token = (await exchange(doors, made["code"]))[1]["access_token"]
    doors.token = token
    assert (await doors.graph("POST", f"{CREDIT}/whatsapp_credit_attach", params=asked))[0] == 400
    doors.token = "sandbox-system-token"
    sharing = {"receiving_business_id": "99"}
    assert (await doors.graph("POST", f"{CREDIT}/whatsapp_credit_sharing", params=sharing))[0] == 200
    doors.token = token
    assert (await doors.graph("POST", f"{CREDIT}/whatsapp_credit_sharing", params=sharing))[0] == 400
    assert (await doors.graph("POST", f"{CREDIT}/whatsapp_credit_attach", params=asked))[0] == 200


async def test_a_code_works_once_and_not_after_its_time(doors: Doors) -> None:
    code = (await doors.control("POST", "signups/code", {"waba_id": WABA}))["code"]
    await doors.control("POST", "clock", {"advance_seconds": 3600})
    assert (await exchange(doors, code))[0] == 200
    assert (await exchange(doors, code))[0] == 400
    await doors.control("POST", "switches", {"signup_code_seconds": 0})
    late = (await doors.control("POST", "signups/code", {"waba_id": WABA}))["code"]
    assert (await exchange(doors, late))[1]["error"]["error_subcode"] == 36007


async def test_a_number_is_registered_and_deregistered_ten_times_in_72_hours(doors: Doors) -> None:
    for turn in range(10):
        if turn % 2:
            assert (await doors.graph("POST", f"{NUMBER}/deregister"))[0] == 200
        else:
            assert await register(doors) == 0
    assert await register(doors) == 133016
    await doors.control("POST", "clock", {"advance_seconds": 72 * HOUR - 60})
    assert await register(doors) == 133016
    await doors.control("POST", "clock", {"advance_seconds": 120})
    assert await register(doors) == 0
    await doors.control("POST", "switches", {"most_registrations": 0})
    assert await register(doors) == 133016


async def test_a_wrong_pin_is_refused_and_in_the_end_any_pin(doors: Doors) -> None:
    await doors.control("POST", "switches", {"most_wrong_pins": 2})
    assert await register(doors, pin="12345") == 100
    assert await register(doors, pin="123456") == 0
    assert [await register(doors, pin="654321") for _ in range(3)] == [133005, 133005, 133008]


async def test_a_changed_pin_is_told_and_is_the_one_that_counts(doors: Doors, platform: Platform) -> None:
    assert (await doors.graph("POST", NUMBER, json={"pin": "111111"}))[0] == 200
    assert (await doors.graph("POST", NUMBER, json={"pin": "1"}))[0] == 400
    await doors.until_quiet()
    assert platform.values()[-1]["event"] == "PIN_CHANGED"
    assert await register(doors, pin="123456") == 133005
    assert await register(doors, pin="111111") == 0


@pytest.mark.parametrize(("status", "code"), [("DISCONNECTED", 133010), ("BANNED", 131031), ("RATE_LIMITED", 131048)])
async def test_a_number_that_is_not_connected_sends_nothing(doors: Doors, status: str, code: int) -> None:
    await doors.write()
    await doors.control("POST", f"numbers/{NUMBER}", {"status": status})
    assert (await doors.send())[1]["error"]["code"] == code


async def test_an_url_that_fails_the_verification_is_not_taken(doors: Doors, platform: Platform) -> None:
    body = {"override_callback_uri": platform.url + "?own", "verify_token": "wrong"}
    assert (await doors.graph("POST", f"{WABA}/subscribed_apps", json=body))[1]["error"]["code"] == 2200
    nowhere = {"override_callback_uri": "http://127.0.0.1:9/", "verify_token": "sandbox-verify"}
    assert (await doors.graph("POST", NUMBER, json={"webhook_configuration": nowhere}))[1]["error"]["code"] == 2200
    await doors.write()
    rows = (await doors.control("GET", "books?list=webhooks"))["webhooks"]["rows"]
    assert [row["url"] for row in rows] == [platform.url]


async def test_a_portfolio_reaches_only_so_many_people_outside_windows_in_a_day(doors: Doors) -> None:
    for waba, number in (("1", "11"), ("2", "21")):
        described = business(waba=waba, token=f"t{waba}", number=number)
        shared = {"messaging_limit": "TIER_250", "portfolio_id": "p"}
        await doors.control("POST", "businesses", {**described, **shared})
    await doors.control("POST", "switches", {"throughput_limit": False, "automatic_statuses": False})

    async def send(waba: str, person: int) -> int:
        doors.token = f"t{waba}"
        parameters = [{"type": "text", "text": "Anna"}, {"type": "text", "text": "1 mei"}]
        components = [{"type": "body", "parameters": parameters}]
        template = {"name": "afspraak", "language": {"code": "nl"}, "components": components}
        status, answer = await doors.send(number=f"{waba}1", to=f"+316{person:08d}", type="template", template=template)
        return 0 if status == 200 else answer["error"]["code"]

    assert {await send("1", person) for person in range(249)} == {0}
    assert [await send("2", 249), await send("2", 250), await send("1", 5)] == [0, 131048, 0]
    await doors.write(phone="31600000251", number="11")
    assert await send("1", 251) == 0
    await doors.control("POST", "clock", {"advance_seconds": 24 * HOUR + 1})
    assert await send("2", 250) == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "settings",
            {"storage_configuration": {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": "DE"}},
        ),
        ("settings", {"colour": {}}),
        ("whatsapp_business_profile", {"about": "x"}),
        ("whatsapp_business_profile", {"messaging_product": "whatsapp", "about": "x" * 140}),
        ("whatsapp_business_profile", {"messaging_product": "whatsapp", "websites": ["a", "b", "c"]}),
        ("whatsapp_business_profile", {"messaging_product": "whatsapp", "profile_picture_handle": "none"}),
        ("username", {"username": "Gemeente"}),
        ("request_code", {"code_method": "POST", "language": "nl"}),
        ("verify_code", {"code": "123456"}),
    ],
)
async def test_an_unfit_change_of_a_number_is_refused(doors: Doors, path: str, body: dict[str, Any]) -> None:
    assert (await doors.graph("POST", f"{NUMBER}/{path}", json=body))[0] == 400


async def test_another_business_may_touch_none_of_it(doors: Doors) -> None:
    await doors.control("POST", "businesses", business(waba="2", token="other", number="3"))
    doors.token = "other"
    for method, path in (
        ("POST", f"{NUMBER}/register"),
        ("POST", f"{NUMBER}/deregister"),
        ("GET", f"{NUMBER}/whatsapp_business_profile"),
        ("GET", f"{NUMBER}/settings"),
        ("POST", f"{NUMBER}/username"),
        ("POST", NUMBER),
        ("POST", WABA),
        ("POST", f"{WABA}/phone_numbers"),
        ("GET", f"{WABA}/template_analytics"),
        ("POST", f"{CREDIT}/whatsapp_credit_sharing_and_attach"),
    ):
        status, answer = await doors.graph(method, path)
        assert (status, answer["error"]["error_subcode"]) == (400, 33), path
