"""Plans the demo's story: who lives there, which scenes there are, and what is written in each.

Pure and drawn from a seed, so that the same story can be told again. Plans descriptions of messages (as the control
door takes them), in stages: what is in one stage travels at once, the next stage when all of it was acknowledged. So a
message in a later stage with an earlier stamp comes out of order, and one planned twice is a duplicate.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.ids import derived_bsuid
from sandbox.story_texts import BUTTONS, NAMES, REMINDERS, ROWS, STREETS, THANKS, TOPICS, Topic

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START_HOUR = 8

# (day, hour, minute, kind, English title). Day 0 is the last of the month, -1 the first of the next.
SCENES: tuple[tuple[int, int, int, str, str], ...] = (
    (1, 9, 10, "busy", "The first morning: passports, moving house, waste"),
    (1, 14, 30, "all", "One POST holds messages for every municipality"),
    (2, 10, 0, "again", "A storm: fallen trees, with photos and places"),
    (3, 10, 40, "again", "Some write again, more than 24 hours later"),
    (5, 11, 0, "silent", "Two quiet days: windows close, templates go out"),
    (5, 15, 15, "busy", "Answers to the templates, and new questions"),
    (6, 9, 30, "busy", "Parking permits and photos of street signs"),
    (7, 13, 5, "busy", "Citizens known by their business-scoped id alone"),
    (8, 10, 20, "busy", "Webhooks come twice and out of order"),
    (9, 16, 45, "busy", "Late in the afternoon"),
    (12, 9, 0, "silent", "Nobody writes: what was left gets a template"),
    (12, 11, 30, "all", "One POST for every municipality, delivered twice"),
    (13, 10, 10, "linked", "Two identities turn out to be one person"),
    (14, 14, 0, "busy", "Documents for building permits"),
    (15, 9, 45, "busy", "Voice messages"),
    (16, 12, 30, "busy", "Whose phone is off gets the answer hours later"),
    (18, 20, 0, "busy", "In the evening: nobody is at the desk"),
    (19, 21, 30, "silent", "More than a day later, nobody wrote"),
    (20, 10, 0, "busy", "Work that was left from the day before"),
    (21, 15, 30, "busy", "Reactions to the answers"),
    (22, 11, 15, "busy", "Choices from lists and buttons"),
    (23, 16, 0, "busy", "Just before the desk closes"),
    (25, 2, 30, "busy", "In the night: streetlights and noise"),
    (26, 9, 20, "silent", "Another quiet day"),
    (27, 13, 45, "busy", "Last questions of the month"),
    (0, 20, 15, "busy", "The last evening of the month"),
    (0, 23, 50, "all", "Ten to midnight: one POST for every municipality"),
    (-1, 0, 30, "silent", "Half an hour into the new month"),
)
CITIZENS_EACH = 18
WRITERS_EACH = 5  # of a municipality's citizens who write in a busy scene; in one of all, no more than three
# What is sent, in turn; of this order every stretch of twenty has at least eight kinds.
KINDS = (
    "text", "text", "image", "text", "location", "text", "text", "document", "text", "interactive",
    "text", "audio", "text", "text", "reaction", "text", "contacts", "text", "image", "text",
    "video", "text", "list", "text", "reaction", "sticker", "text",
)  # fmt: skip
# Positions among a municipality's citizens that have something particular about them.
KNOWN_BY_ID = (3, 9)
BEHAVIOURS = {0: "reads", 2: "skips_delivered", 5: "phone_off", 7: "leaves_unread", 13: "skips_delivered"}
UNREACHABLE = ((0, 11, "undeliverable"), (1, 14, "undeliverable"), (2, 11, "never_delivered"), (3, 14, "undeliverable"))
# One citizen of the first and of the last municipality is known twice, until the scene "linked".
DOUBLE = 16


@dataclass(slots=True, eq=False)
class Actor:
    """A citizen of the story."""

    number_id: str
    phone: str | None
    bsuid: str | None
    name: str
    username: str | None
    topic: Topic
    behaviour: str | None = None
    # Known twice: by phone alone in even scenes and by id alone in odd ones, until linked.
    double: bool = False
    wrote: int = 0

    def described(self, *, scene: int, linked: bool) -> dict[str, Any]:
        """Describe the citizen with the ids that Meta discloses in this scene."""
        shown: dict[str, Any] = {"name": self.name}
        by_phone = not self.double or linked or scene % 2 == 0
        by_id = not self.double or linked or scene % 2 == 1
        if self.phone and by_phone:
            shown["phone"] = self.phone
        if self.bsuid and by_id:
            shown["bsuid"] = self.bsuid
        if self.username and by_id:
            shown["username"] = self.username
        return shown


@dataclass(slots=True)
class Line:
    """One message of one citizen; `times` above 1 are further deliveries of the same message."""

    actor: Actor
    kind: str
    stamped_at: float
    text: str
    stage: int = 0
    again_in_stage: int | None = None
    described: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Scene:
    """A moment and what happens in it."""

    title: str
    moment: float
    kind: str
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """The whole story."""

    starts_at: float
    scenes: list[Scene]
    actors: list[Actor]


def plan_story(
    *,
    businesses: list[tuple[str, str]],
    year: int,
    month: int,
    seed: int,
    writers_each: int = WRITERS_EACH,
    busy_scenes: int | None = None,
) -> Plan:
    """Plan the month for the businesses, given as (waba_id, phone_number_id).

    busy_scenes: of the scenes in which something particular happens all are played, of the others so many.
    """
    drawn = random.Random(seed)
    actors = [
        _actor(place=place, position=position, waba_id=waba_id, number_id=number_id, seed=seed)
        for place, (waba_id, number_id) in enumerate(businesses)
        for position in range(CITIZENS_EACH)
    ]
    for place, position, behaviour in UNREACHABLE:
        if place < len(businesses):
            actors[place * CITIZENS_EACH + position].behaviour = behaviour
    for place in {0, len(businesses) - 1}:
        actors[place * CITIZENS_EACH + DOUBLE].double = True
    writer = _Writer(drawn=drawn, places=len(businesses), actors=actors, each=writers_each)
    scenes = []
    left_out = _left_out(busy_scenes)
    for index, (day, hour, minute, kind, title) in enumerate(SCENES):
        if index in left_out:
            continue
        moment = _moment(year=year, month=month, day=day, hour=hour, minute=minute)
        scenes.append(Scene(title, moment, kind, writer.lines(index=index, kind=kind, moment=moment)))
    starts_at = datetime(year, month, 1, START_HOUR, tzinfo=AMSTERDAM).timestamp()
    return Plan(starts_at=starts_at, scenes=scenes, actors=actors)


def _left_out(busy_scenes: int | None) -> set[int]:
    """Return the busy scenes that are not played, so that those that are lie over the whole month."""
    busy = [index for index, scene in enumerate(SCENES) if scene[3] == "busy"]
    if busy_scenes is None or busy_scenes >= len(busy):
        return set()
    kept = {busy[round(place * (len(busy) - 1) / max(1, busy_scenes - 1))] for place in range(busy_scenes)}
    return set(busy) - kept


class _Writer:
    """Hands out who writes what, so that everybody writes about equally often and every kind occurs."""

    def __init__(self, *, drawn: random.Random, places: int, actors: list[Actor], each: int) -> None:
        self._drawn = drawn
        self._places = places
        self._each = each
        self._actors = actors
        self._turns = [0] * places
        self._kinds = 0
        self._linked = False

    def lines(self, *, index: int, kind: str, moment: float) -> list[Line]:
        if kind == "silent":
            return []
        self._linked = self._linked or kind == "linked"
        writers = self._writers(index=index, kind=kind)
        lines: list[Line] = []
        for order, actor in enumerate(writers):
            stamp = moment - 600 + self._drawn.randint(0, 300)
            first = self._line(actor=actor, stamp=stamp, scene=index)
            lines.append(first)
            # Of every five, one writes twice, and the second message comes first.
            if order % 5 == 2:
                second = self._line(actor=actor, stamp=stamp + self._drawn.randint(5, 200), scene=index)
                first.stage = 1
                lines.append(second)
            if order % 5 in (0, 3):
                first.again_in_stage = first.stage + self._drawn.randint(0, 1)
        if kind == "all":
            for line in lines:
                line.stage = 0
                line.again_in_stage = 1 if index % 2 else None
        return lines

    def _writers(self, *, index: int, kind: str) -> list[Actor]:
        writers: list[Actor] = []
        each = min(3, self._each) if kind == "all" else self._each
        for place in range(self._places):
            own = self._actors[place * CITIZENS_EACH : (place + 1) * CITIZENS_EACH]
            chosen = [own[(self._turns[place] + step) % CITIZENS_EACH] for step in range(each)]
            self._turns[place] += each
            if kind == "again" and own[0] not in chosen:
                chosen.append(own[0])
            if kind == "linked" or index in (5, 6):
                chosen += [actor for actor in own if actor.double and actor not in chosen]
            writers += chosen
        return writers

    def _line(self, *, actor: Actor, stamp: float, scene: int) -> Line:
        kind = KINDS[self._kinds % len(KINDS)] if actor.wrote else "text"
        self._kinds += 1
        street = self._drawn.choice(STREETS)
        texts = (actor.topic.opening, actor.topic.further, THANKS, actor.topic.further, REMINDERS)[actor.wrote % 5]
        if kind in ("image", "video"):
            text = actor.topic.photo
        elif kind == "document":
            text = actor.topic.document
        else:
            text = self._drawn.choice(texts).replace("{straat}", street)
        actor.wrote += 1
        return Line(
            actor=actor,
            kind=kind,
            stamped_at=stamp,
            text=text,
            described=actor.described(scene=scene, linked=self._linked),
        )


def message_of(*, line: Line, answered: str | None, drawn: random.Random) -> dict[str, Any]:
    """Write the message of a line as Meta shapes it; `answered` is the last message that the citizen got."""
    kind, text = line.kind, line.text
    if kind == "reaction" and answered is not None:
        return {"type": "reaction", "reaction": {"message_id": answered, "emoji": drawn.choice("👍🙏😀")}}
    if kind in ("image", "video"):
        return {"type": kind, kind: {"caption": text}}
    if kind == "document":
        return {"type": kind, kind: {"filename": text, "caption": "Zie bijlage."}}
    if kind in ("audio", "sticker"):
        return {"type": kind, kind: {}}
    if kind == "location":
        place = {"latitude": round(52.2 + drawn.random() / 10, 6), "longitude": round(6.7 + drawn.random() / 5, 6)}
        return {"type": kind, kind: {**place, "name": drawn.choice(STREETS)}}
    if kind == "contacts":
        name = {"formatted_name": "Huisartsenpraktijk De Es", "first_name": "Huisartsenpraktijk"}
        return {"type": kind, kind: [{"name": name, "phones": [{"phone": "+31 53 700 0000", "type": "WORK"}]}]}
    if kind == "interactive":
        chosen, title = drawn.choice(BUTTONS)
        return {
            "type": "interactive",
            "interactive": {"type": "button_reply", "button_reply": {"id": chosen, "title": title}},
        }
    if kind == "list":
        chosen, title, description = drawn.choice(ROWS)
        reply = {"id": chosen, "title": title, "description": description}
        return {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": reply}}
    return {"type": "text", "text": {"body": text}}


def _actor(*, place: int, position: int, waba_id: str, number_id: str, seed: int) -> Actor:
    ordinal = place * CITIZENS_EACH + position
    name = NAMES[ordinal % len(NAMES)]
    phone = f"3169700{1000 + ordinal:04d}"
    by_id_alone = position in KNOWN_BY_ID
    return Actor(
        number_id=number_id,
        phone=None if by_id_alone else phone,
        bsuid=derived_bsuid(waba_id=waba_id, phone=phone),
        name=name,
        username=f"{name.split()[0].lower()}.{ordinal}" if by_id_alone or position % 6 == 4 else None,
        topic=TOPICS[(ordinal + seed) % len(TOPICS)],
        behaviour=BEHAVIOURS.get(position),
    )


def _moment(*, year: int, month: int, day: int, hour: int, minute: int) -> float:
    following = datetime(year + month // 12, month % 12 + 1, 1, hour, minute, tzinfo=AMSTERDAM)
    if day == -1:
        return following.timestamp()
    if day == 0:
        return (following - timedelta(days=1)).timestamp()
    return datetime(year, month, day, hour, minute, tzinfo=AMSTERDAM).timestamp()
