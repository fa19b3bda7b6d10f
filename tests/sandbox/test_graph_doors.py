"""Media, templates and accounts answer as Meta's doors do, on the sandbox's clock."""

import hashlib
from typing import Any

import aiohttp
import pytest
from sandbox_doors import NUMBER, WABA, Doors, Platform, business

DAY = 86400


async def upload(doors: Doors, *, mime_type: str = "image/jpeg", content: bytes = b"foto") -> tuple[int, Any]:
    form = aiohttp.FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("file", content, filename="foto.jpg", content_type=mime_type)
    return await doors.graph("POST", f"{NUMBER}/media", data=form)


async def download(doors: Doors, url: str, *, token: str | None = None) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token or doors.token}"}
    async with doors.session.get(url, headers=headers) as answer:
        return answer.status, await answer.read()


async def test_a_file_goes_up_and_comes_down(doors: Doors) -> None:
    _, uploaded = await upload(doors)
    status, described = await doors.graph("GET", uploaded["id"], params={"phone_number_id": NUMBER})
    assert status == 200
    assert described["sha256"] == hashlib.sha256(b"foto").hexdigest()
    assert (described["mime_type"], described["file_size"]) == ("image/jpeg", 4)
    assert await download(doors, described["url"]) == (200, b"foto")


async def test_a_download_url_lives_five_minutes_and_needs_the_token(doors: Doors) -> None:
    _, uploaded = await upload(doors)
    _, described = await doors.graph("GET", uploaded["id"])
    assert (await download(doors, described["url"], token="wrong"))[0] == 401
    await doors.control("POST", "clock", {"advance_seconds": 301})
    assert (await download(doors, described["url"]))[0] == 404
    _, again = await doors.graph("GET", uploaded["id"])
    assert (await download(doors, again["url"]))[0] == 200


async def test_uploads_live_30_days_and_citizens_files_seven(doors: Doors, platform: Platform) -> None:
    _, uploaded = await upload(doors)
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"phone": "31697000001"},
        "message": {"type": "image", "image": {"caption": "Kijk"}},
    }
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    sent = platform.updates("messages")[0]["image"]
    assert hashlib.sha256((await download(doors, sent["url"]))[1]).hexdigest() == sent["sha256"]
    for days, expected in ((6.9, (200, 200)), (0.2, (200, 400)), (22.8, (200, 400)), (0.2, (400, 400))):
        await doors.control("POST", "clock", {"advance_seconds": days * DAY})
        statuses = [(await doors.graph("GET", each))[0] for each in (uploaded["id"], sent["id"])]
        assert tuple(statuses) == expected


async def test_a_file_of_another_number_does_not_exist(doors: Doors) -> None:
    await doors.control("POST", "businesses", business(waba="2", token="other", number="3"))
    _, uploaded = await upload(doors)
    assert (await doors.graph("GET", uploaded["id"], params={"phone_number_id": "3"}))[0] == 400
    doors.token = "other"
    assert (await doors.graph("GET", uploaded["id"]))[0] == 400
    assert (await doors.graph("DELETE", uploaded["id"]))[0] == 400


async def test_a_deleted_file_is_gone(doors: Doors) -> None:
    _, uploaded = await upload(doors)
    assert await doors.graph("DELETE", uploaded["id"]) == (200, {"success": True})
    assert (await doors.graph("GET", uploaded["id"]))[0] == 400


@pytest.mark.parametrize(
    ("mime_type", "content"),
    [("application/x-msdownload", b"MZ"), ("image/jpeg", b""), ("image/jpeg", b"x" * (5 * 1024 * 1024 + 1))],
)
async def test_an_unfit_file_is_refused(doors: Doors, mime_type: str, content: bytes) -> None:
    status, answer = await upload(doors, mime_type=mime_type, content=content)
    assert (status, answer["error"]["code"]) == (400, 131053)


async def test_an_uploaded_image_can_be_sent_by_its_own_number(doors: Doors) -> None:
    _, uploaded = await upload(doors)
    await doors.write()
    assert (await doors.send(type="image", image={"id": uploaded["id"]}))[0] == 200
    await doors.control("POST", "businesses", business(waba="2", token="other", number="3"))
    await doors.write(number="3")
    doors.token = "other"
    status, answer = await doors.send(number="3", type="image", image={"id": uploaded["id"]})
    assert (status, answer["error"]["code"]) == (400, 131009)


def new_template(**changed: Any) -> dict[str, Any]:
    body = {"type": "BODY", "text": "Dag {{1}}, tot ziens.", "example": {"body_text": [["Anna"]]}}
    return {"name": "tot_ziens", "language": "nl", "category": "UTILITY", "components": [body], **changed}


def body_of(text: str, **more: Any) -> list[dict[str, Any]]:
    return [{"type": "BODY", "text": text, **more}]


async def create(doors: Doors, **changed: Any) -> tuple[int, Any]:
    return await doors.graph("POST", f"{WABA}/message_templates", json=new_template(**changed))


async def listed(doors: Doors, **query: str) -> list[Any]:
    return (await doors.graph("GET", f"{WABA}/message_templates", params=query))[1]["data"]


async def test_a_template_is_usable_once_reviewed(doors: Doors, platform: Platform) -> None:
    await doors.control("POST", "switches", {"template_review_seconds": 3600})
    assert (await create(doors))[1]["status"] == "PENDING"
    sending = {
        "type": "template",
        "template": {
            "name": "tot_ziens",
            "language": {"code": "nl"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Anna"}]}],
        },
    }
    assert (await doors.send(**sending))[1]["error"]["code"] == 132001
    await doors.control("POST", "clock", {"advance_seconds": 3600})
    await doors.until_quiet()
    assert platform.values()[-1]["event"] == "APPROVED"
    assert (await doors.send(**sending))[0] == 200


async def test_a_utility_template_that_advertises_becomes_marketing(doors: Doors) -> None:
    _, answer = await create(doors, components=body_of("Nu met korting op uw grofvuil."))
    assert answer["category"] == "MARKETING"


async def test_a_template_that_asks_for_a_bsn_is_rejected(doors: Doors, platform: Platform) -> None:
    await create(doors, components=body_of("Stuur ons uw BSN alstublieft."))
    await doors.until_quiet()
    assert platform.values()[-1]["event"] == "REJECTED"
    assert (await listed(doors, status="REJECTED"))[0]["rejected_reason"] != "NONE"


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Hoofdletters"},
        {"category": "SERVICE"},
        {"components": []},
        {"components": body_of("{{1}} eerst", example={"body_text": [["Anna"]]})},
        {"components": body_of("Tot {{2}} dan", example={"body_text": [["Anna"]]})},
        {"components": body_of("Zonder {{1}} voorbeeld")},
        {"components": body_of("x" * 1025)},
    ],
)
async def test_an_unfit_template_is_refused(doors: Doors, changed: dict[str, Any]) -> None:
    status, answer = await create(doors, **changed)
    assert (status, answer["error"]["code"]) == (400, 100)
    assert len(await listed(doors)) == 1


async def test_a_name_exists_once_in_a_language(doors: Doors) -> None:
    assert (await create(doors))[0] == 200
    assert (await create(doors))[0] == 400
    assert (await create(doors, language="en"))[0] == 200


async def test_templates_are_listed_by_page_and_filter(doors: Doors) -> None:
    for order in range(4):
        await create(doors, name=f"brief_{order}")
    status, page = await doors.graph("GET", f"{WABA}/message_templates", params={"limit": "3"})
    assert status == 200
    names = [each["name"] for each in page["data"]]
    async with doors.session.get(page["paging"]["next"], headers={"Authorization": f"Bearer {doors.token}"}) as answer:
        following = await answer.json()
    names += [each["name"] for each in following["data"]]
    assert names == ["afspraak", "brief_0", "brief_1", "brief_2", "brief_3"]
    assert "next" not in following["paging"]
    assert [each["name"] for each in await listed(doors, name="brief_2")] == ["brief_2"]
    assert await listed(doors, language="en") == []
    assert (await listed(doors, fields="name", name="brief_2"))[0].keys() == {"name", "id"}


async def test_deleting_by_name_removes_all_languages_and_by_id_one(doors: Doors) -> None:
    _, dutch = await create(doors)
    await create(doors, language="en")
    await doors.graph("DELETE", f"{WABA}/message_templates", params={"name": "tot_ziens", "hsm_id": dutch["id"]})
    assert [each["language"] for each in await listed(doors, name="tot_ziens")] == ["en"]
    await doors.graph("DELETE", f"{WABA}/message_templates", params={"name": "tot_ziens"})
    assert await listed(doors, name="tot_ziens") == []
    assert (await doors.graph("DELETE", f"{WABA}/message_templates", params={"name": "tot_ziens"}))[0] == 400


async def test_a_token_shows_its_number_and_no_other(doors: Doors) -> None:
    await doors.control("POST", "businesses", business(waba="2", token="other", number="3"))
    fields = {"fields": "id,display_phone_number,verified_name,quality_rating,status"}
    status, number = await doors.graph("GET", NUMBER, params=fields)
    assert (status, number["verified_name"], number["status"]) == (200, "Enschede", "CONNECTED")
    assert (await doors.graph("GET", "3", params=fields))[0] == 400
    assert (await doors.graph("GET", NUMBER, params={"fields": "secret"}))[1]["error"]["code"] == 100
    doors.token = "wrong"
    status, answer = await doors.graph("GET", NUMBER, params=fields)
    assert (status, answer["error"]["code"]) == (401, 190)


async def test_the_numbers_of_a_business_are_listed_for_its_token_alone(doors: Doors) -> None:
    assert [each["id"] for each in (await doors.graph("GET", f"{WABA}/phone_numbers"))[1]["data"]] == [NUMBER]
    assert (await doors.graph("GET", WABA))[1]["name"] == "Enschede"
    await doors.control("POST", "businesses", business(waba="2", token="other", number="3"))
    doors.token = "other"
    assert (await doors.graph("GET", f"{WABA}/phone_numbers"))[0] == 400


async def test_a_code_is_exchanged_for_the_business_token(doors: Doors) -> None:
    code = (await doors.control("POST", "signups/code", {"waba_id": WABA}))["code"]
    query = {"client_id": "sandbox-app", "client_secret": "sandbox-secret", "code": code}
    assert (await doors.graph("GET", "oauth/access_token", params=query))[1]["access_token"] == doors.token
    assert (await doors.graph("GET", "oauth/access_token", params={**query, "client_secret": "x"}))[0] != 200
    checked = (await doors.graph("GET", "debug_token", params={"input_token": doors.token}))[1]["data"]
    assert checked["is_valid"]
    assert not (await doors.graph("GET", "debug_token", params={"input_token": "x"}))[1]["data"]["is_valid"]


async def test_a_door_that_is_not_there_answers_as_graph_does(doors: Doors) -> None:
    status, answer = await doors.graph("POST", f"{NUMBER}/nowhere", json={})
    assert (status, answer["error"]["code"]) == (400, 100)
