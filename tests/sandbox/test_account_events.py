"""Account webhooks are sent on demand, to the app's own URL, with the entry's id and time that Meta gives."""

from sandbox_doors import NUMBER, WABA, Doors, Platform

CITIZEN = {"phone": "31697000001"}


async def event(doors: Doors, field: str, variant: str | None = None, **more: object) -> None:
    chosen = {} if variant is None else {"variant": variant}
    await doors.control("POST", "account_events", {"waba_id": WABA, "field": field, **chosen, "wait": True, **more})


async def test_a_field_comes_in_the_envelope_of_accounts(doors: Doors, platform: Platform) -> None:
    body = {"override_callback_uri": platform.url + "?own", "verify_token": "sandbox-verify"}
    await doors.graph("POST", f"{WABA}/subscribed_apps", json=body)
    await event(doors, "account_review_update", "REJECTED")
    entry = platform.posts[0].body["entry"][0]
    assert (entry["id"], type(entry["time"])) == (WABA, int)
    assert entry["changes"] == [{"field": "account_review_update", "value": {"decision": "REJECTED"}}]
    rows = (await doors.control("GET", "books?list=webhooks"))["webhooks"]["rows"]
    assert rows[-1]["url"] == platform.url


async def test_events_about_partners_carry_the_partners_own_id(doors: Doors, platform: Platform) -> None:
    await event(doors, "account_update", "PARTNER_REMOVED")
    entry = platform.posts[0].body["entry"][0]
    assert entry["id"] != WABA
    assert entry["changes"][0]["value"]["waba_info"]["waba_id"] == WABA


async def test_a_value_is_put_over_the_typical_one(doors: Doors, platform: Platform) -> None:
    await event(doors, "message_template_status_update", "FLAGGED", template="afspraak", value={"reason": "SCAM"})
    value = platform.values()[0]
    assert (value["event"], value["message_template_name"], value["reason"]) == ("FLAGGED", "afspraak", "SCAM")


async def test_limits_are_spoken_of_by_number_before_v24(doors: Doors, platform: Platform) -> None:
    await event(doors, "business_capability_update")
    await doors.control("POST", "switches", {"payload_version": "v23"})
    await event(doors, "business_capability_update")
    after, before = platform.values()
    assert after["max_daily_conversations_per_business"] == "TIER_UNLIMITED"
    assert "max_daily_conversation_per_phone" in before


async def test_an_unknown_field_or_variant_or_business_is_refused(doors: Doors) -> None:
    for wrong in ({"field": "weather"}, {"field": "flows", "variant": "x"}, {"field": "flows", "waba_id": "0"}):
        await doors.control("POST", "account_events", {"waba_id": WABA, **wrong}, status=400)


async def test_a_call_opens_the_window(doors: Doors, platform: Platform) -> None:
    assert (await doors.send())[1]["error"]["code"] == 131047
    await doors.control("POST", "calls", {"phone_number_id": NUMBER, "citizen": CITIZEN, "wait": True})
    [value] = platform.values()
    assert (value["calls"][0]["event"], value["contacts"][0]["wa_id"]) == ("connect", CITIZEN["phone"])
    assert (await doors.send())[0] == 200
    await doors.control("POST", "calls", {"phone_number_id": NUMBER, "citizen": CITIZEN, "event": "ring"}, status=400)


async def test_errors_without_a_message_come_in_a_value_of_their_own(doors: Doors, platform: Platform) -> None:
    errors = [{"code": 131016}, {"code": 131000, "details": "again"}]
    await doors.control("POST", "errors", {"phone_number_id": NUMBER, "errors": errors, "wait": True})
    assert [each["code"] for each in platform.updates("errors")] == [131016, 131000]
    assert all("messages" not in value and "contacts" not in value for value in platform.values())
    await doors.control("POST", "errors", {"phone_number_id": NUMBER, "errors": []}, status=400)


async def test_standby_is_a_change_apart_from_messages(doors: Doors, platform: Platform) -> None:
    message = {"phone_number_id": NUMBER, "citizen": CITIZEN, "message": {"type": "text", "text": {"body": "Dag"}}}
    updates = [message, {**message, "field": "standby"}]
    await doors.control("POST", "inbound", {"updates": updates, "one_post": True, "wait": True})
    changes = platform.posts[0].body["entry"][0]["changes"]
    assert [(each["field"], len(each["value"]["messages"])) for each in changes] == [("messages", 1), ("standby", 1)]
