"""Plays the demo's story: each scene moves the clock forward and lets citizens write, until all is acknowledged.

Between scenes the platform's agents answer. A scene is only played when nothing is under way, so that moving the clock
never overtakes a status or a webhook.
"""

import asyncio
import random
from typing import TYPE_CHECKING, Any

from sandbox.books import iso
from sandbox.envelope import Update, copy_of
from sandbox.inbound import UnfitMessage, find_citizen, write_message
from sandbox.story_plan import CITIZENS_EACH, Line, Plan, Scene, message_of, plan_story
from sandbox.world import Conflict

if TYPE_CHECKING:
    from sandbox.app import Sandbox

UPDATES_PER_POST = 7
ACKNOWLEDGED_WITHIN_SECONDS = 30.0


class Unacknowledged(Exception):
    """The platform did not acknowledge a scene's messages in time."""


class Story:
    """A plan being played on one sandbox."""

    def __init__(self, *, sandbox: "Sandbox", plan: Plan, seed: int) -> None:
        self._sandbox = sandbox
        self._plan = plan
        self._random = random.Random(seed)
        self._played = 0
        self._last: dict[str, Any] = {}
        # The last message that each citizen got, by number and citizen, and how many sends were looked at for it.
        self._answered: dict[tuple[str, int], str | None] = {}
        self._looked_at = 0

    def describe(self) -> dict[str, Any]:
        """Tell what is to come."""
        return {
            "scenes": len(self._plan.scenes),
            "citizens": len(self._plan.actors),
            "inbound_planned": sum(len(scene.lines) for scene in self._plan.scenes),
            "starts_at": iso(moment=self._plan.starts_at),
            "ends_at": iso(moment=self._plan.scenes[-1].moment),
        }

    async def play_scene(self) -> dict[str, Any]:
        """Play the next scene; after the last one, tell again that the story is done.

        Raises Conflict: something is under way.  Raises Unacknowledged: the platform did not answer 200 in time.
        """
        if self._played == len(self._plan.scenes):
            return self._last
        sandbox, world = self._sandbox, self._sandbox.world
        if sandbox.statuses.planned or sandbox.courier.unacknowledged or world.requests_in_hand:
            raise Conflict("something is under way: wait until all is quiet")
        scene = self._plan.scenes[self._played]
        self._played += 1
        if scene.moment > world.clock.now():
            world.clock.move_to(moment=scene.moment)
            sandbox.statuses.clock_moved()
        if scene.kind == "linked":
            self._link()
        await self._deliver(scene=scene)
        self._last = {
            "scene": self._played,
            "scenes": len(self._plan.scenes),
            "title": scene.title,
            "clock": iso(moment=world.clock.now()),
            "inbound_so_far": len(world.books.inbound),
            "done": self._played == len(self._plan.scenes),
        }
        return self._last

    def _link(self) -> None:
        for actor in self._plan.actors:
            if actor.double:
                business = self._sandbox.world.numbers[actor.number_id].business
                self._sandbox.world.citizen(business=business, phone=actor.phone, bsuid=actor.bsuid, links=True)

    async def _deliver(self, *, scene: Scene) -> None:
        self._look_at_answers()
        written = {id(line): self._write(line=line) for line in scene.lines}
        stages = {line.stage for line in scene.lines} | {line.again_in_stage or 0 for line in scene.lines}
        for stage in sorted(stages):
            fresh = [written[id(line)] for line in scene.lines if line.stage == stage]
            again = [copy_of(written[id(line)]) for line in scene.lines if line.again_in_stage == stage]
            size = len(scene.lines) if scene.kind == "all" else UPDATES_PER_POST
            posts = [*_cut(fresh, size=size), *_cut(again, size=size)]
            arrived = [self._sandbox.courier.send_together(updates=post) for post in posts]
            try:
                async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
                    await asyncio.gather(*arrived)
            except TimeoutError as error:
                raise Unacknowledged(
                    f"scene {self._played}: not acknowledged within {ACKNOWLEDGED_WITHIN_SECONDS:.0f} seconds"
                ) from error

    def _look_at_answers(self) -> None:
        """Note who got which message last; all is quiet, so each send is looked at once."""
        sends = self._sandbox.world.books.sends
        for send in sends[self._looked_at :]:
            if send.type != "reaction":
                self._answered[send.number_id, send.citizen_key] = send.wamid
        self._looked_at = len(sends)

    def _write(self, *, line: Line) -> Update:
        world, actor = self._sandbox.world, line.actor
        number = world.numbers[actor.number_id]
        citizen = find_citizen(world=world, number=number, raw=line.described)
        citizen.behaviour = actor.behaviour or citizen.behaviour
        answered = self._answered.get((number.id, citizen.key))
        raw: dict[str, Any] = {
            "phone_number_id": number.id,
            "citizen": line.described,
            "message": message_of(line=line, answered=answered, drawn=self._random),
            "stamped_at": line.stamped_at,
        }
        if answered is not None and line.kind in ("interactive", "list"):
            raw["context_wamid"] = answered
        return write_message(world=world, raw=raw).update


def prepare_story(*, sandbox: "Sandbox", raw: dict[str, Any]) -> Story:
    """Plan the story and set the clock to its first morning.

    raw: {"businesses": [{"waba_id", "phone_number_id"}, …], "month": "YYYY-MM", "seed"?, "writers_each"?,
    "busy_scenes"?}.
    Raises UnfitMessage: something is missing or unknown.  Raises Conflict: the clock would go back after traffic.
    """
    world = sandbox.world
    businesses = [_known_number(sandbox=sandbox, raw=each) for each in raw.get("businesses") or []]
    if not businesses:
        raise UnfitMessage("a story needs businesses")
    year, month = _read_month(text=raw.get("month"))
    seed = int(raw.get("seed", 1))
    shape = {name: int(raw[name]) for name in ("writers_each", "busy_scenes") if name in raw}
    if not 1 <= shape.get("writers_each", 1) <= CITIZENS_EACH or shape.get("busy_scenes", 0) < 0:
        raise UnfitMessage(f"writers_each is 1 to {CITIZENS_EACH}, busy_scenes 0 or more")
    plan = plan_story(businesses=businesses, year=year, month=month, seed=seed, **shape)
    if plan.starts_at < world.clock.now() and not world.untouched:
        raise Conflict("the clock goes back only before any traffic")
    world.clock.move_to(moment=plan.starts_at)
    # Some read at once, some never; nobody fails but those of whom the plan says so.
    world.switches.change(values={"reads": 0.6, "skips_delivered": 0.15})
    return Story(sandbox=sandbox, plan=plan, seed=seed)


def _known_number(*, sandbox: "Sandbox", raw: Any) -> tuple[str, str]:
    number = sandbox.world.numbers.get(str(raw.get("phone_number_id"))) if isinstance(raw, dict) else None
    if number is None or number.business.waba_id != raw.get("waba_id"):
        raise UnfitMessage("each of businesses needs waba_id and phone_number_id of a registered number")
    return number.business.waba_id, number.id


def _read_month(*, text: Any) -> tuple[int, int]:
    try:
        year, month = (int(part) for part in str(text).split("-"))
    except ValueError as error:
        raise UnfitMessage("month is YYYY-MM") from error
    if not (2000 <= year <= 9998 and 1 <= month <= 12):
        raise UnfitMessage("month is YYYY-MM")
    return year, month


def _cut(updates: list[Update], *, size: int) -> list[list[Update]]:
    return [updates[start : start + size] for start in range(0, len(updates), max(1, size))]
