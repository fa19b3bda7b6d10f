"""Webhooks are signed over their bytes, batched, and sent again until they get a 200."""

import hashlib
import hmac
import json
from typing import Any

from sandbox_doors import NUMBER, WABA, Doors, Platform, business

PLACES = [(f"20000000000002{place}", f"10654000000002{place}") for place in range(4)]


def written(number: str = NUMBER, body: str = "Hallo", **more: Any) -> dict[str, Any]:
    return {
        "phone_number_id": number,
        "citizen": {"phone": "31697000001", "name": "Zoë"},
        "message": {"type": "text", "text": {"body": body}},
        **more,
    }


async def test_the_signature_is_over_the_raw_bytes_with_the_app_secret(doors: Doors, platform: Platform) -> None:
    await doors.write("Één vraag 👍")
    post = platform.posts[0]
    expected = hmac.new(b"sandbox-secret", post.raw, hashlib.sha256).hexdigest()
    assert post.signature == f"sha256={expected}"


async def test_non_ascii_is_escaped(doors: Doors, platform: Platform) -> None:
    await doors.write("Één vraag 👍")
    raw = platform.posts[0].raw
    assert raw.isascii()
    assert b"\\u00c9\\u00e9n" in raw
    assert platform.updates("messages")[0]["text"]["body"] == "Één vraag 👍"


async def test_it_tries_again_until_it_gets_a_200(doors: Doors, platform: Platform) -> None:
    platform.answers = [503, 500, 404, 302]
    wamid = await doors.write()
    assert [each["id"] for each in platform.updates("messages")] == [wamid] * 5
    posts = (await doors.control("GET", "books?list=webhooks"))["webhooks"]["rows"]
    assert [(post["attempt"], post["answer"]) for post in posts] == [(1, 503), (2, 500), (3, 404), (4, 302), (5, 200)]
    assert (await doors.control("GET", "books/summary"))["unacknowledged"] == 0


async def test_a_platform_that_is_down_is_tried_again(doors: Doors, platform: Platform) -> None:
    down = business()
    down["webhook_url"] = "http://127.0.0.1:9/webhooks/whatsapp"
    await doors.control("POST", "businesses", down)
    await doors.control("POST", "inbound", {"updates": [written()]})
    import asyncio

    await asyncio.sleep(0.05)
    quiet = await doors.control("GET", "quiet")
    assert not quiet["quiet"]
    assert quiet["updates_unacknowledged"] == 1
    assert (await doors.control("GET", "books/summary"))["unacknowledged"] == 1


async def test_it_gives_up_after_seven_days_of_the_sandboxs_clock(doors: Doors, platform: Platform) -> None:
    platform.answers = [503] * 1000
    await doors.control("POST", "switches", {"retry_longest_seconds": 0.01})
    await doors.control("POST", "inbound", {"updates": [written()]})
    while not platform.posts:
        await doors.control("GET", "healthz")
    await doors.control("POST", "clock", {"advance_seconds": 8 * 86400})
    await doors.until_quiet()
    assert (await doors.control("GET", "books/summary"))["dropped_updates"] == 1


async def test_one_post_holds_messages_for_four_businesses(doors: Doors, platform: Platform) -> None:
    for waba, number in PLACES:
        await doors.control("POST", "businesses", business(waba=waba, token=f"t{waba}", number=number))
    updates = [written(number) for _, number in PLACES for _ in range(2)]
    await doors.control("POST", "inbound", {"updates": updates, "one_post": True, "wait": True})
    assert len(platform.posts) == 1
    entries = platform.posts[0].body["entry"]
    assert [entry["id"] for entry in entries] == [waba for waba, _ in PLACES]
    for entry, (_, number) in zip(entries, PLACES, strict=True):
        (change,) = entry["changes"]
        assert change["value"]["metadata"]["phone_number_id"] == number
        assert len(change["value"]["messages"]) == 2
        assert len(change["value"]["contacts"]) == 1
        assert "time" not in entry


async def test_a_post_asked_for_as_one_stays_one_when_tried_again_unless_rebatched(
    doors: Doors, platform: Platform
) -> None:
    await doors.control("POST", "switches", {"max_updates_per_post": 1})
    updates = [written(body=str(order)) for order in range(3)]
    platform.answers = [503]
    await doors.control("POST", "inbound", {"updates": updates, "one_post": True, "wait": True})
    assert [len(post.body["entry"][0]["changes"][0]["value"]["messages"]) for post in platform.posts] == [3, 3]
    platform.posts.clear()
    await doors.control("POST", "faults", {"webhooks": {"rebatch": True}})
    platform.answers = [503]
    await doors.control("POST", "inbound", {"updates": updates, "one_post": True, "wait": True})
    assert [len(post.body["entry"][0]["changes"][0]["value"]["messages"]) for post in platform.posts] == [3, 1, 1, 1]


async def test_duplicates_are_further_deliveries_of_the_same_message(doors: Doors, platform: Platform) -> None:
    await doors.control("POST", "inbound", {"updates": [written()], "duplicates": 2, "wait": True})
    assert len({each["id"] for each in platform.updates("messages")}) == 1
    assert len(platform.updates("messages")) == 3


async def test_a_business_without_subscription_gets_no_webhooks(doors: Doors, platform: Platform) -> None:
    assert (await doors.graph("DELETE", f"{WABA}/subscribed_apps"))[1] == {"success": True}
    await doors.write()
    await doors.send()
    await doors.until_quiet()
    assert platform.posts == []
    await doors.graph("POST", f"{WABA}/subscribed_apps", json={})
    await doors.write()
    assert len(platform.posts) == 1


async def test_an_override_of_the_url_is_for_messages_alone(doors: Doors, platform: Platform) -> None:
    body = {"override_callback_uri": platform.url + "?override=1", "verify_token": "sandbox-verify"}
    await doors.graph("POST", f"{WABA}/subscribed_apps", json=body)
    await doors.write()
    posts = (await doors.control("GET", "books?list=webhooks"))["webhooks"]["rows"]
    assert posts[0]["url"].endswith("?override=1")
    await doors.graph("POST", f"{WABA}/subscribed_apps", json={})
    assert "override_callback_uri" not in (await doors.graph("GET", f"{WABA}/subscribed_apps"))[1]["data"][0]


async def test_an_arbitrary_body_is_signed_as_it_is(doors: Doors, platform: Platform) -> None:
    raw = b'{"object": "whatsapp_business_account",   "entry": []}'
    async with doors.session.post(f"{doors.url}/_sandbox/webhook", data=raw) as answer:
        assert await answer.json() == {"status": 200, "body": ""}
    assert platform.posts[0].raw == raw
    assert platform.posts[0].signature == "sha256=" + hmac.new(b"sandbox-secret", raw, hashlib.sha256).hexdigest()


async def test_the_verification_hands_the_challenge_back(doors: Doors) -> None:
    assert await doors.control("POST", "verify", {}) == {"verified": True, "status": 200}
    assert await doors.control("POST", "verify", {"verify_token": "wrong"}) == {"verified": False, "status": 403}


async def test_chosen_statuses_come_in_the_chosen_order_and_count(doors: Doors, platform: Platform) -> None:
    await doors.control("POST", "switches", {"automatic_statuses": False})
    await doors.write()
    _, answer = await doors.send()
    wamid = answer["messages"][0]["id"]
    chosen = [
        {"wamid": wamid, "status": "read", "stamped_at": "2026-10-02T10:00:00+02:00"},
        {"wamid": wamid, "status": "delivered", "stamped_at": "2026-10-02T09:00:00+02:00", "pricing": None},
    ]
    await doors.control("POST", "statuses", {"statuses": chosen, "one_post": True, "wait": True})
    statuses = platform.updates("statuses")
    assert [each["status"] for each in statuses] == ["read", "delivered"]
    assert ["pricing" in each for each in statuses] == [True, False]
    counted = await doors.control("GET", "conversations?month=2026-10&rows=1")
    assert [row["opened_at"] for row in counted["rows"]] == ["2026-10-02T07:00:00+00:00"]
    assert counted["by_category"] == {"SERVICE": 1}


async def test_a_status_without_a_200_does_not_count(doors: Doors, platform: Platform) -> None:
    await doors.write()
    platform.answers = [503] * 1000
    await doors.control("POST", "switches", {"retry_first_seconds": 60.0})
    await doors.send()
    while len(platform.posts) < 2:
        await doors.control("GET", "healthz")
    assert (await doors.control("GET", "conversations"))["total"] == 0


async def test_a_late_message_corrects_a_closed_month(doors: Doors) -> None:
    await doors.control("POST", "clock", {"to": "2026-10-31T12:00:00+01:00"})
    await doors.write()
    await doors.control("POST", "conversations/close", {"month": "2026-10"})
    await doors.send()
    await doors.until_quiet()
    counted = await doors.control("GET", "conversations?month=2026-10")
    assert counted["total"] == 0
    (correction,) = counted["corrections"]
    assert (correction["category"], correction["quantity"]) == ("SERVICE", 1)


async def test_linked_identities_are_shown_together_and_counted_as_one(doors: Doors, platform: Platform) -> None:
    await doors.write()
    by_id = {
        "phone_number_id": NUMBER,
        "citizen": {"bsuid": "NL.9"},
        "message": {"type": "text", "text": {"body": "Hallo"}},
    }
    await doors.control("POST", "inbound", {"updates": [by_id], "wait": True})
    await doors.send()
    await doors.send(to=None, recipient="NL.9")
    await doors.until_quiet()
    assert (await doors.control("GET", "conversations"))["total"] == 2
    both = {**by_id, "citizen": {"phone": "31697000001", "bsuid": "NL.9"}}
    await doors.control("POST", "inbound", {"updates": [both]}, status=409)
    linked = {"phone_number_id": NUMBER, "phone": "31697000001", "bsuid": "NL.9"}
    await doors.control("POST", "citizens/link", linked)
    assert (await doors.control("GET", "conversations"))["total"] == 2, "not announced yet"
    await doors.write()
    last = platform.updates("messages")[-1]
    assert (last["from"], last["from_user_id"]) == ("31697000001", "NL.9")
    assert (await doors.control("GET", "conversations"))["total"] == 1


async def test_account_fields_have_a_time_and_go_to_the_apps_own_callback(doors: Doors, platform: Platform) -> None:
    new = {
        "name": "herinnering",
        "language": "nl",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Uw afspraak is morgen."}],
    }
    status, answer = await doors.graph("POST", f"{WABA}/message_templates", json=new)
    assert (status, answer["status"], answer["category"]) == (200, "PENDING", "UTILITY")
    await doors.until_quiet()
    (entry,) = platform.posts[-1].body["entry"]
    assert isinstance(entry["time"], int)
    assert entry["changes"][0]["field"] == "message_template_status_update"
    assert entry["changes"][0]["value"]["event"] == "APPROVED"
    assert json.dumps(entry["changes"][0]["value"]["message_template_id"]) == answer["id"]
