"""pywa sends every kind of message that it knows and reads every status and message of the sandbox."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pywa_async import WhatsApp
from pywa_async.types.message_status import MessageStatus, MessageStatusType, PricingCategory, PricingType
from pywa_cases import INBOUND, SENDS
from pywa_client import Reader, make_client, reader
from sandbox_doors import NUMBER, Doors, Platform

CITIZEN = "+31697000001"
WA_ID = "31697000001"


@pytest.fixture
def read(client: WhatsApp, platform: Platform) -> Reader:
    """Let pywa read whatever POSTs came."""
    return reader(client=client, platform=platform)


@pytest.fixture
async def client(doors: Doors) -> AsyncIterator[WhatsApp]:
    # pywa reads the first update of each POST alone, and expects the ids that Meta gives since April 2026.
    switches = {"max_updates_per_post": 1, "keep_bodies": True, "bsuid_for_all": True, "pair_limit": False}
    await doors.control("POST", "switches", switches)
    client = make_client(url=doors.url)
    yield client
    await client.api._session.aclose()


@pytest.mark.parametrize(("method", "arguments", "kind", "interactive"), SENDS, ids=lambda each: str(each)[:40])
async def test_it_sends(
    doors: Doors,
    platform: Platform,
    client: WhatsApp,
    read: Reader,
    method: str,
    arguments: dict[str, Any],
    kind: str,
    interactive: str | None,
) -> None:
    asked = await doors.write()
    await doors.until_quiet()
    platform.posts.clear()
    sent = await getattr(client, method)(to=CITIZEN, tracker="ons-id", reply_to_message_id=asked, **arguments)
    rows = (await doors.control("GET", f"books?list=sends&wamid={sent.id.replace('+', '%2B')}"))["sends"]["rows"]
    body = rows[0]["body"]
    assert (rows[0]["outcome"], rows[0]["type"], body["context"]) == ("ACCEPTED", kind, {"message_id": asked})
    assert body[kind].get("type") == interactive if interactive else kind in body
    await doors.until_quiet()
    statuses = await read()
    assert [(type(each), each.id, each.tracker) for each in statuses] == [(MessageStatus, sent.id, "ons-id")] * 3
    assert {each.status for each in statuses} == {
        MessageStatusType.SENT,
        MessageStatusType.DELIVERED,
        MessageStatusType.READ,
    }
    priced = [each.pricing for each in statuses if each.pricing]
    assert len(priced) == 2
    assert {(each.type, each.category) for each in priced} == {
        (PricingType.FREE_CUSTOMER_SERVICE, PricingCategory.SERVICE)
    }


async def test_it_reacts_and_takes_it_back(doors: Doors, client: WhatsApp) -> None:
    asked = await doors.write()
    await client.send_reaction(to=CITIZEN, emoji="👍", message_id=asked)
    await client.remove_reaction(to=CITIZEN, message_id=asked)
    assert [each.body["reaction"]["emoji"] for each in doors.sandbox.world.books.sends] == ["👍", ""]


async def test_it_marks_as_read_and_shows_that_it_types(doors: Doors, client: WhatsApp) -> None:
    asked = await doors.write()
    assert await client.mark_message_as_read(message_id=asked)
    assert await client.indicate_typing(message_id=asked)
    assert doors.sandbox.world.books.marked_read == 2


async def test_it_sends_to_a_citizen_known_by_id_alone(
    doors: Doors, platform: Platform, client: WhatsApp, read: Reader
) -> None:
    citizen = {"bsuid": "NL.13491208655302741918", "username": "anna", "name": "Anna"}
    message = {"type": "text", "text": {"body": "Dag"}}
    update = {"phone_number_id": NUMBER, "citizen": citizen, "message": message}
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    [written] = await read()
    assert (written.from_user.bsuid, written.from_user.wa_id) == (citizen["bsuid"], None)
    assert written.from_user.username == "anna"
    sent = await written.reply("Dag Anna")
    await doors.until_quiet()
    statuses = await read()
    assert {(each.id, each.from_user.bsuid) for each in statuses} == {(sent.id, citizen["bsuid"])}


@pytest.mark.parametrize(("message", "kind", "said"), INBOUND, ids=lambda each: str(each)[:44])
async def test_it_reads_what_a_citizen_sends(
    doors: Doors, read: Reader, message: dict[str, Any], kind: type, said: dict[str, Any]
) -> None:
    citizen = {"phone": WA_ID, "name": "Anna"}
    update = {"phone_number_id": NUMBER, "citizen": citizen, "message": message}
    if message.get("interactive", {}).get("type") == "list_reply":  # pywa demands what it replies to
        update["context_wamid"] = "wamid.list"
    answer = await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    [made] = await read()
    assert isinstance(made, kind)
    assert made.id == answer["wamids"][0] or message["type"] in ("edit", "revoke")
    assert (made.metadata.phone_number_id, made.from_user.wa_id) == (NUMBER, WA_ID)
    assert {name: getattr(made, name) for name in said} == said


@pytest.mark.parametrize(
    "switch", [{"payload_version": "v23"}, {"username_with_at": True}, {"media_url_in_webhook": False}]
)
async def test_it_reads_the_other_shapes(
    doors: Doors, platform: Platform, client: WhatsApp, read: Reader, switch: dict[str, Any]
) -> None:
    await doors.control("POST", "switches", switch)
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"phone": WA_ID, "username": "anna"},
        "message": {"type": "image", "image": {}},
    }
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    await client.send_message(to=CITIZEN, text="Dank")
    await doors.until_quiet()
    written, *statuses = await read()
    assert written.image.id
    conversations = [each.conversation for each in statuses]
    assert all(conversations) if "payload_version" in switch else not any(conversations)


async def test_a_refusal_is_the_exception_that_it_has_for_the_code(doors: Doors, client: WhatsApp) -> None:
    from pywa import errors

    with pytest.raises(errors.ReEngagementMessage) as refused:
        await client.send_message(to=CITIZEN, text="Dag")
    assert refused.value.code == 131047
    assert refused.value.details
    await doors.write()
    for as_string in (True, False):
        await doors.control("POST", "switches", {"error_data_as_string": as_string})
        await doors.control("POST", "faults", {"sends": [{"kind": "error", "code": 130429}]})
        with pytest.raises(errors.WhatsAppError) as limited:
            await client.send_message(to=CITIZEN, text="Dag")
        assert (limited.value.code, limited.value.details) == (130429, "Asked for by a fault.")


async def test_a_failed_status_has_no_contacts_which_it_does_not_expect(
    doors: Doors, platform: Platform, client: WhatsApp, read: Reader
) -> None:
    """Meta leaves `contacts` out of a failed status (domain notes 1.4); pywa reads it only where it is put in."""
    await doors.write()
    for shown in (False, True):
        await doors.control("POST", "switches", {"contacts_on_failed": shown})
        await doors.control("POST", "faults", {"sends": [{"kind": "failed_status", "code": 131026}]})
        platform.posts.clear()
        await client.send_message(to=CITIZEN, text="Dag")
        await doors.until_quiet()
        if not shown:
            assert await read() == [None]
    [failed] = await read()
    assert (failed.status, failed.error.code) == (MessageStatusType.FAILED, 131026)
