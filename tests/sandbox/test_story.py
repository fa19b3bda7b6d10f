"""The demo's story holds what it promises, and counts the same conversations as a platform that answers would."""

import asyncio
from collections import Counter
from typing import Any

from sandbox_doors import Doors, Platform, business

from sandbox.story_plan import plan_story

PLACES = [
    {"waba_id": f"20000000000001{place}", "phone_number_id": f"10654000000001{place}", "name": name}
    for place, name in enumerate(("Enschede", "Hengelo", "Almelo", "Borne"))
]


async def register(doors: Doors) -> None:
    for place in PLACES:
        number = place["phone_number_id"]
        described = business(waba=place["waba_id"], token=f"token-{number}", number=number, name=place["name"])
        await doors.control("POST", "businesses", described)


async def answer_citizens(doors: Doors, platform: Platform, answered: set[str]) -> None:
    """Answer each newly seen message of a citizen by a text, as an agent would."""
    sends = []
    for value in platform.values():
        for message in value.get("messages", []):
            if message["id"] in answered:
                continue
            answered.add(message["id"])
            who = {"to": "+" + message["from"]} if "from" in message else {"recipient": message["from_user_id"]}
            number = value["metadata"]["phone_number_id"]
            payload = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "Dank u."}, **who}
            url = f"{doors.url}/v24.0/{number}/messages"
            headers = {"Authorization": f"Bearer token-{number}"}
            sends.append(send_at_leisure(doors, url, payload, headers))
    await asyncio.gather(*sends)
    platform.posts.clear()


async def send_at_leisure(doors: Doors, url: str, payload: dict[str, Any], headers: dict[str, str]) -> None:
    """Send, again after a moment when the number is at its throughput: this test is faster than any agent."""
    while True:
        async with doors.session.post(url, json=payload, headers=headers) as answer:
            if answer.status == 200:
                return
            assert (await answer.json())["error"]["code"] == 130429
        await asyncio.sleep(0.05)


async def play(doors: Doors, platform: Platform) -> list[dict[str, Any]]:
    await register(doors)
    await doors.control("POST", "story", {"businesses": PLACES, "month": "2026-10"})
    scenes: list[dict[str, Any]] = []
    answered: set[str] = set()
    while not scenes or not scenes[-1]["done"]:
        scenes.append(await doors.control("POST", "story/scene"))
        await answer_citizens(doors, platform, answered)
        await doors.until_quiet()
    return scenes


async def test_the_story_holds_what_it_promises(doors: Doors, platform: Platform) -> None:
    scenes = await play(doors, platform)
    books = await doors.control("GET", "books/summary")
    assert 20 <= len(scenes) <= 30
    assert books["inbound_messages"] == books["inbound_acknowledged"] >= 400
    assert books["inbound_duplicates"] >= 50
    assert books["inbound_out_of_order"] >= 20
    assert len(books["by_type"]) >= 8
    assert min(books["by_number"].values()) >= 60
    assert set(books["refused_by_code"]) <= {"130429"}
    assert books["statuses"]["failed"] >= 5
    assert books["unacknowledged"] == 0
    citizens = {
        row["citizen"] for row in (await doors.control("GET", "books?list=inbound&limit=1000"))["inbound"]["rows"]
    }
    assert len(citizens) >= 60
    posts = (await doors.control("GET", "books?list=webhooks&limit=1000"))["webhooks"]["rows"]
    assert max(post["numbers"] for post in posts) == 4
    clock = await doors.control("GET", "clock")
    assert clock["now"].startswith("2026-10-31T23:30")


async def test_the_story_gives_one_citizen_two_conversations(doors: Doors, platform: Platform) -> None:
    await play(doors, platform)
    counted = await doors.control("GET", "conversations?month=2026-10&rows=1")
    assert counted["by_category"]["SERVICE"] == counted["total"] > 100
    assert max(Counter((row["number"], row["contact"]) for row in counted["rows"]).values()) >= 2


def test_the_same_seed_tells_the_same_story() -> None:
    places = [(place["waba_id"], place["phone_number_id"]) for place in PLACES]
    one, other = (plan_story(businesses=places, year=2026, month=10, seed=5) for _ in range(2))
    assert [[line.text for line in scene.lines] for scene in one.scenes] == [
        [line.text for line in scene.lines] for scene in other.scenes
    ]


def test_every_month_has_all_scenes_in_order() -> None:
    places = [(place["waba_id"], place["phone_number_id"]) for place in PLACES]
    for year, month in ((2026, 2), (2026, 3), (2026, 12), (2028, 2)):
        plan = plan_story(businesses=places, year=year, month=month, seed=1)
        moments = [plan.starts_at, *(scene.moment for scene in plan.scenes)]
        assert moments == sorted(set(moments))


def test_five_citizens_are_known_by_id_alone() -> None:
    places = [(place["waba_id"], place["phone_number_id"]) for place in PLACES]
    plan = plan_story(businesses=places, year=2026, month=10, seed=1)
    writers = {line.actor.bsuid for scene in plan.scenes for line in scene.lines if line.actor.phone is None}
    assert len(writers) >= 5


async def test_a_scene_waits_for_quiet(doors: Doors) -> None:
    await register(doors)
    await doors.control("POST", "story", {"businesses": PLACES, "month": "2026-10"})
    await doors.control("POST", "faults", {"webhooks": {"delay_seconds": [0.2, 0.2]}})
    update = {
        "phone_number_id": PLACES[0]["phone_number_id"],
        "citizen": {"phone": "31697009999"},
        "message": {"type": "text", "text": {"body": "Hallo"}},
    }
    await doors.control("POST", "inbound", {"updates": [update]})
    await doors.control("POST", "story/scene", status=409)


async def test_a_story_needs_registered_numbers(doors: Doors) -> None:
    await doors.control("POST", "story", {"businesses": PLACES, "month": "2026-10"}, status=400)
    await doors.control("POST", "story/scene", status=409)


async def test_a_story_does_not_begin_after_traffic(doors: Doors) -> None:
    await register(doors)
    await doors.write()
    await doors.control("POST", "story", {"businesses": PLACES, "month": "2026-10"}, status=409)
