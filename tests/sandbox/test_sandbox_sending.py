"""What becomes of sends: accepted, refused with Meta's codes, and followed by statuses."""

import base64
from typing import Any

import pytest
from sandbox_doors import NUMBER, Doors, Platform, business

OTHER = business(waba="200000000000002", token="token-of-hengelo", number="106540000000002", name="Hengelo")


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


async def test_the_window_closes_after_24_hours_of_the_moved_clock(doors: Doors) -> None:
    await doors.write()
    await doors.control("POST", "clock", {"advance_seconds": 24 * 3600 - 10})
    assert (await doors.send())[0] == 200
    await doors.control("POST", "clock", {"advance_seconds": 10})
    assert (await doors.send())[1]["error"]["code"] == 131047


async def test_outside_the_window_can_fail_by_webhook_instead(doors: Doors, platform: Platform) -> None:
    await doors.control("POST", "switches", {"outside_window": "webhook"})
    assert (await doors.send())[0] == 200
    await doors.until_quiet()
    failed = platform.updates("statuses")
    assert [each["status"] for each in failed] == ["failed"]
    assert failed[0]["errors"][0]["code"] == 131047
    assert "pricing" not in failed[0]
    assert "contacts" not in platform.values()[-1]


async def test_an_unknown_token_is_190_with_http_401(doors: Doors) -> None:
    doors.token = "nobody's"
    status, answer = await doors.send()
    assert (status, answer["error"]["code"]) == (401, 190)


async def test_a_number_of_another_business_does_not_exist_for_this_token(doors: Doors) -> None:
    await doors.control("POST", "businesses", OTHER)
    status, answer = await doors.send(number="106540000000002")
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)


async def test_the_system_token_may_act_for_every_business(doors: Doors) -> None:
    await doors.write()
    doors.token = "sandbox-system-token"
    assert (await doors.send())[0] == 200


def template(*parameters: Any, name: str = "afspraak", language: str = "nl") -> dict[str, Any]:
    components = [{"type": "body", "parameters": [{"type": "text", "text": each} for each in parameters]}]
    return {
        "type": "template",
        "template": {"name": name, "language": {"code": language}, "components": components},
    }


async def test_a_template_goes_out_while_the_window_is_closed(doors: Doors, platform: Platform) -> None:
    status, answer = await doors.send(**template("Anna", "dinsdag"))
    assert (status, answer["messages"][0]["message_status"]) == (200, "accepted")
    await doors.until_quiet()
    assert platform.updates("statuses")[0]["pricing"]["category"] == "utility"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (template("Anna", "dinsdag", language="en"), 132001),
        (template("Anna", "dinsdag", name="onbekend"), 132001),
        (template("Anna"), 132000),
        (template("Anna", "dinsdag", "extra"), 132000),
        (template("Anna", "op\ndinsdag"), 132012),
        (template("Anna", "x" * 1025), 132005),
        ({"type": "text", "text": {}}, 131008),
        ({"type": "text", "text": {"body": "x" * 4097}}, 131009),
        ({"type": "image", "image": {}}, 131008),
        ({"type": "image", "image": {"id": "404"}}, 131009),
        ({"type": "gif", "gif": {}}, 131051),
        ({"type": "reaction", "reaction": {"message_id": "wamid.unknown", "emoji": "👍"}}, 131009),
        ({"to": ""}, 131008),
        ({"to": "", "recipient": "not a bsuid"}, 131009),
        ({"biz_opaque_callback_data": "x" * 513}, 131009),
        ({"messaging_product": "sms"}, 100),
    ],
)
async def test_it_refuses_what_meta_refuses(doors: Doors, message: dict[str, Any], code: int) -> None:
    await doors.write()
    status, answer = await doors.send(**message)
    assert (status, answer["error"]["code"]) == (400, code)
    summary = await doors.control("GET", "books/summary")
    assert summary["refused_by_code"] == {str(code): 1}


BUTTON = {"type": "reply", "reply": {"id": "ja", "title": "Ja"}}


@pytest.mark.parametrize(
    ("interactive", "accepted"),
    [
        ({"type": "button", "body": {"text": "Klopt dit?"}, "action": {"buttons": [BUTTON]}}, True),
        ({"type": "button", "body": {"text": "Klopt dit?"}, "action": {"buttons": [BUTTON, BUTTON]}}, False),
        ({"type": "button", "body": {"text": "Klopt dit?"}, "action": {"buttons": []}}, False),
        (
            {
                "type": "list",
                "body": {"text": "Kies"},
                "action": {"button": "Dagen", "sections": [{"rows": [{"id": "ma", "title": "Maandag"}]}]},
            },
            True,
        ),
        (
            {
                "type": "list",
                "body": {"text": "Kies"},
                "action": {
                    "button": "Dagen",
                    "sections": [{"rows": [{"id": str(i), "title": "x"} for i in range(11)]}],
                },
            },
            False,
        ),
    ],
)
async def test_it_knows_the_limits_of_interactive_messages(doors: Doors, interactive: Any, accepted: bool) -> None:
    await doors.write()
    status, _ = await doors.send(type="interactive", interactive=interactive)
    assert (status == 200) is accepted


async def test_the_46th_message_in_a_burst_to_one_citizen_is_refused(doors: Doors) -> None:
    await doors.write()
    answers = [await doors.send() for _ in range(46)]
    assert [status for status, _ in answers] == [200] * 45 + [400]
    assert answers[-1][1]["error"]["code"] == 131056
    await doors.control("POST", "switches", {"pair_limit": False})
    assert (await doors.send())[0] == 200


async def test_a_number_is_held_to_its_throughput(doors: Doors) -> None:
    described = business()
    described["phone_numbers"][0]["throughput"] = 3
    await doors.control("POST", "businesses", described)
    await doors.control("POST", "switches", {"outside_window": "webhook"})
    codes = [(await doors.send())[1].get("error", {}).get("code") for _ in range(6)]
    assert codes[:3] == [None] * 3
    assert 130429 in codes


async def test_what_citizens_write_counts_for_the_throughput_too(doors: Doors) -> None:
    described = business()
    described["phone_numbers"][0]["throughput"] = 2
    await doors.control("POST", "businesses", described)
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"phone": "31697000001"},
        "message": {"type": "text", "text": {"body": "Hallo"}},
    }
    await doors.control("POST", "inbound", {"updates": [update] * 5})
    assert (await doors.send())[1]["error"]["code"] == 130429


async def test_a_business_scoped_id_is_answered_without_a_phone_number(doors: Doors, platform: Platform) -> None:
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"bsuid": "NL.134", "username": "inwoner"},
        "message": {"type": "text", "text": {"body": "Hallo"}},
    }
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    status, answer = await doors.send(to=None, recipient="NL.134")
    assert status == 200
    assert answer["contacts"] == [{"input": "NL.134", "user_id": "NL.134"}]
    await doors.until_quiet()
    sent = platform.updates("statuses")[0]
    assert sent["recipient_user_id"] == "NL.134"
    assert "recipient_id" not in sent


async def test_a_number_without_plus_gets_the_country_code_in_front(doors: Doors) -> None:
    await doors.write(phone="3131697000001")
    _, answer = await doors.send(to="31697000001")
    assert answer["contacts"][0]["wa_id"] == "3131697000001"


async def test_marking_as_read_needs_a_message_that_a_citizen_sent(doors: Doors) -> None:
    wamid = await doors.write()
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    assert await doors.graph("POST", f"{NUMBER}/messages", json=body) == (200, {"success": True})
    status, answer = await doors.graph("POST", f"{NUMBER}/messages", json={**body, "message_id": "wamid.none"})
    assert (status, answer["error"]["code"]) == (400, 131009)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("leaves_unread", ["sent", "delivered"]),
        ("skips_delivered", ["sent", "read"]),
        ("never_delivered", ["sent"]),
        ("undeliverable", ["failed"]),
        ("phone_off", ["sent", "delivered", "read"]),
    ],
)
async def test_citizens_behave_as_described(
    doors: Doors, platform: Platform, behaviour: str, expected: list[str]
) -> None:
    await doors.write()
    citizen = {"phone_number_id": NUMBER, "citizen": {"phone": "31697000001"}, "behaviour": behaviour}
    await doors.control("POST", "citizens", citizen)
    await doors.send()
    await doors.until_quiet()
    await doors.control("POST", "clock", {"advance_seconds": 10 * 3600})
    await doors.until_quiet()
    statuses = platform.updates("statuses")
    assert [each["status"] for each in statuses] == expected
    if behaviour == "skips_delivered":
        assert "pricing" in statuses[-1]


@pytest.mark.parametrize(
    ("moment", "pricing"),
    [
        ("2025-06-30T12:00:00+02:00", ("CBP", "free_customer_service", "service")),
        ("2025-07-02T12:00:00+02:00", ("PMP", "free_customer_service", "service")),
        ("2026-10-02T12:00:00+02:00", ("PMP", "regular", "service")),
    ],
)
async def test_pricing_follows_the_date(
    doors: Doors, platform: Platform, moment: str, pricing: tuple[str, str, str]
) -> None:
    await doors.control("POST", "switches", {"free_service_messages": 0})
    await doors.control("POST", "clock", {"to": moment})
    await doors.write()
    await doors.send()
    await doors.until_quiet()
    block = platform.updates("statuses")[0]["pricing"]
    assert (block["pricing_model"], block["type"], block["category"]) == pricing


async def test_the_first_service_messages_of_a_month_are_free(doors: Doors, platform: Platform) -> None:
    await doors.control("POST", "switches", {"free_service_messages": 2, "automatic_statuses": True})
    await doors.control("POST", "clock", {"to": "2026-10-02T12:00:00+02:00"})
    await doors.write()
    for _ in range(3):
        await doors.send()
        await doors.until_quiet()
    kinds = [each["pricing"]["type"] for each in platform.updates("statuses") if each["status"] == "sent"]
    assert kinds == ["free_customer_service", "free_customer_service", "regular"]


async def test_an_entry_point_makes_72_hours_free(doors: Doors, platform: Platform) -> None:
    referral = {"source_type": "post", "source_id": "1", "source_url": "https://example.com"}
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"phone": "31697000001"},
        "message": {"type": "text", "text": {"body": "Hallo"}, "referral": referral},
    }
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    await doors.send()
    await doors.control("POST", "clock", {"advance_seconds": 70 * 3600})
    await doors.send(**template("Anna", "dinsdag"))
    await doors.control("POST", "clock", {"advance_seconds": 3 * 3600})
    await doors.send(**template("Anna", "dinsdag"))
    await doors.until_quiet()
    kinds = [each["pricing"]["type"] for each in platform.updates("statuses") if each["status"] == "sent"]
    assert kinds == ["free_entry_point", "free_entry_point", "regular"]


async def test_up_to_v23_statuses_carry_a_conversation(doors: Doors, platform: Platform) -> None:
    await doors.control("POST", "switches", {"payload_version": "v23"})
    await doors.write()
    await doors.send()
    await doors.until_quiet()
    conversations = [each["conversation"] for each in platform.updates("statuses")]
    assert len({each["id"] for each in conversations}) == 1
    assert ["expiration_timestamp" in each for each in conversations] == [True, False, False]
