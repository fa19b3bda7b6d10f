"""A day's webhooks as Meta might send them, from a list of small numbers: whatever the numbers, a day that can happen.

Each act has its own second, or shares one; a citizen writes under the ids that they have at that moment. Left out is
what nobody could tell apart afterwards: a number without an id that has passed to somebody else.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KINDS: tuple[dict[str, Any], ...] = (
    {"type": "text", "text": {"body": "Waar is het stadhuis?"}},
    {"type": "image", "image": {"id": "900", "mime_type": "image/jpeg", "sha256": "x", "caption": "Kijk"}},
    {"type": "location", "location": {"latitude": 52.09, "longitude": 5.12}},
    {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "Ja"}}},
    {"type": "button", "button": {"payload": "p", "text": "Bevestigen"}},
    {"type": "order", "order": {"catalog_id": "1", "text": "Twee", "product_items": []}},
    {"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [{"code": 131051, "title": "Unsupported"}]},
    {"type": "hologram", "hologram": {"frames": 12}},
    {"type": "text", "text": {"body": "Let op"}, "context": {"forwarded": True}},
    {"type": "text", "text": {"body": "Hoi"}, "referral": {"source_type": "ad"}},
)


@dataclass
class Citizen:
    """One person, with the ids of the moment. hides: their number is never told. plain: their id is never told."""

    place: int
    wa_id: str
    bsuid: str
    hides: bool = False
    plain: bool = False
    ids: int = 0
    settled: bool = False  # has a number that was another's: stays as they are
    left: list[str] = field(default_factory=list)

    def contact(self) -> dict[str, Any]:
        """Return how a webhook names them."""
        shown: dict[str, Any] = {"profile": {"name": f"Inwoner {self.place}.{self.ids}"}}
        if not self.hides:
            shown["wa_id"] = self.wa_id
        if not self.plain:
            shown["user_id"] = self.bsuid
        return shown

    def sender(self, number: str = "from", id_: str = "from_user_id") -> dict[str, Any]:
        """Return the ids under which they are in a message."""
        shown = {} if self.hides else {number: self.wa_id}
        return shown if self.plain else {**shown, id_: self.bsuid}


@dataclass
class Day:
    """The updates of one day, each as one entry of a POST with one change."""

    waba_id: str
    number_id: str
    display: str
    ours: list[tuple[str, int]]  # our messages: id, and to which citizen
    updates: list[dict[str, Any]] = field(default_factory=list)
    at: datetime = BEGIN
    citizens: list[Citizen] = field(default_factory=list)
    said: list[tuple[str, int]] = field(default_factory=list)  # wamids of citizens' messages, and whose
    echoed: list[str] = field(default_factory=list)
    reported: set[tuple[str, str]] = field(default_factory=set)
    count: int = 0

    def __post_init__(self) -> None:
        """Have four citizens: known by both, by both, by an id alone, by a number alone."""
        self.citizens = [Citizen(n, f"3169700010{n}", f"NL.citizen{n}", hides=n == 2, plain=n == 3) for n in range(4)]

    def play(self, acts: list[tuple[int, int, int]]) -> list[dict[str, Any]]:
        """Return the updates of these acts: what, who, and something more to choose by."""
        for what, who, more in acts:
            if more % 4:
                self.at += timedelta(seconds=1 + more % 7)
            self.count += 1
            ACTS[what % len(ACTS)](self, self.citizens[who % len(self.citizens)], more)
        return self.updates

    @property
    def stamp(self) -> str:
        """Return the moment as messages write it."""
        return str(int(self.at.timestamp()))

    def wamid(self, kind: str) -> str:
        """Return a new id."""
        return f"wamid.{kind}{self.count:03d}"

    def value(self, **more: Any) -> dict[str, Any]:
        """Return a change's value of the number."""
        metadata = {"display_phone_number": self.display, "phone_number_id": self.number_id}
        return {"messaging_product": "whatsapp", "metadata": metadata, **more}

    def messages(self, **more: Any) -> None:
        """Add an update of the field `messages`."""
        change = {"field": "messages", "value": self.value(**more)}
        self.updates.append({"id": self.waba_id, "changes": [change]})

    def account(self, kind: str, value: dict[str, Any]) -> None:
        """Add an update of an account field."""
        change = {"field": kind, "value": value}
        self.updates.append({"id": self.waba_id, "time": int(self.at.timestamp()), "changes": [change]})

    def message(self, citizen: Citizen, kind: str = "m", **element: Any) -> str:
        """Add a message of a citizen's; return its wamid."""
        wamid = self.wamid(kind)
        whole = {**citizen.sender(), "id": wamid, "timestamp": self.stamp, **element}
        self.messages(contacts=[citizen.contact()], messages=[whole])
        return wamid


def write(day: Day, citizen: Citizen, more: int) -> None:
    wamid = day.message(citizen, **KINDS[more % len(KINDS)])
    day.said.append((wamid, citizen.place))


def answer(day: Day, citizen: Citizen, more: int) -> None:
    to = day.said[more % len(day.said)][0] if day.said else "wamid.before"
    wamid = day.message(citizen, type="text", text={"body": "Klopt"}, context={"id": to})
    day.said.append((wamid, citizen.place))


def edit(day: Day, citizen: Citizen, more: int) -> None:
    own = [wamid for wamid, place in day.said if place == citizen.place] or ["wamid.before"]
    inner = {"type": "text", "text": {"body": f"Ik bedoelde {more}"}}
    day.message(citizen, "e", type="edit", edit={"original_message_id": own[more % len(own)], "message": inner})


def revoke(day: Day, citizen: Citizen, more: int) -> None:
    own = [wamid for wamid, place in day.said if place == citizen.place] or ["wamid.before"]
    if more % 3:
        day.message(citizen, "r", type="revoke", revoke={"original_message_id": own[more % len(own)]})
    elif (own[more % len(own)], "deleted") not in day.reported:
        day.reported.add((own[more % len(own)], "deleted"))
        status = {"id": own[more % len(own)], "status": "deleted", "timestamp": day.stamp, "recipient_id": "x"}
        day.messages(statuses=[status])


def react(day: Day, citizen: Citizen, more: int) -> None:
    known = [wamid for wamid, _ in day.said] + day.echoed or ["wamid.before"]
    said = {"message_id": known[more % len(known)], "emoji": ("👍", "", "🙏")[more % 3]}
    day.message(citizen, "a", type="reaction", reaction=said)


def change_number(day: Day, citizen: Citizen, more: int) -> None:
    if citizen.hides or citizen.settled:
        return
    day.at += timedelta(seconds=1)
    old, new = citizen.wa_id, f"3169700{citizen.place}{day.count:03d}"
    system: dict[str, Any] = {"body": f"User changed from {old} to {new}", "wa_id": new, "type": "user_changed_number"}
    element = {**citizen.sender(), "id": day.wamid("s"), "timestamp": day.stamp, "type": "system"}
    if more % 5 == 0:
        element.pop("from_user_id", None)  # WhatsApp names the old number alone
    citizen.left.append(old)
    citizen.wa_id = new
    if more % 2 and not citizen.plain:
        citizen.ids += 1
        citizen.bsuid = system["user_id"] = f"NL.citizen{citizen.place}x{day.count}"
    day.messages(messages=[{**element, "system": system}])
    day.at += timedelta(seconds=1)


def change_id(day: Day, citizen: Citizen, more: int) -> None:
    if citizen.plain:
        return
    day.at += timedelta(seconds=1)
    old, new = citizen.bsuid, f"NL.citizen{citizen.place}y{day.count}"
    citizen.bsuid, citizen.ids = new, citizen.ids + 1
    if more % 3 != 1:
        told = {"user_id": {"previous": old, "current": new}, "timestamp": day.stamp, "detail": "changed"}
        if not citizen.hides:
            told["wa_id"] = citizen.wa_id
        day.account("user_id_update", day.value(user_id_update=[told]))
    if more % 3:
        system = {"body": f"User changed from {old} to {new}", "user_id": new, "type": "user_changed_user_id"}
        element = {"id": day.wamid("s"), "timestamp": day.stamp, "type": "system", "system": system}
        day.messages(messages=[element if citizen.hides else {**element, "from": citizen.wa_id}])
    day.at += timedelta(seconds=1)


def take_over_a_number(day: Day, citizen: Citizen, more: int) -> None:
    """Somebody new, with an id, gets a number that somebody with an id has left."""
    free = [number for other in day.citizens if other.place != 1 and not other.plain for number in other.left]
    if not free:
        return
    day.at += timedelta(seconds=1)
    for other in day.citizens:
        other.left = [number for number in other.left if number != free[0]]
    place = len(day.citizens)
    newcomer = Citizen(place, free[0], f"NL.citizen{place}", settled=True)
    day.citizens.append(newcomer)
    write(day, newcomer, more)


def echo(day: Day, citizen: Citizen, more: int) -> None:
    base = {**citizen.sender("to", "to_user_id"), "from": day.display, "timestamp": day.stamp}
    if day.echoed and more % 4 == 1:
        inner = {"original_message_id": day.echoed[more % len(day.echoed)]}
        inner["message"] = {"type": "text", "text": {"body": "Verbeterd"}}
        element = {**base, "id": day.wamid("pe"), "type": "edit", "edit": inner}
    elif day.echoed and more % 4 == 2:
        target = {"original_message_id": day.echoed[more % len(day.echoed)]}
        element = {**base, "id": day.wamid("pr"), "type": "revoke", "revoke": target}
    else:
        day.echoed.append(day.wamid("p"))
        element = {**base, "id": day.echoed[-1], "type": "text", "text": {"body": "Vanaf de telefoon"}}
        _statuses(day, {"id": day.echoed[-1], **citizen.sender("recipient_id", "recipient_user_id")}, more)
    day.account("smb_message_echoes", day.value(contacts=[citizen.contact()], message_echoes=[element]))


def report(day: Day, citizen: Citizen, more: int) -> None:
    """Tell what became of a message of ours."""
    if not day.ours:
        return
    message_id, place = day.ours[more % len(day.ours)]
    to = day.citizens[place]
    about = {"id": f"wamid.ours.{message_id}", "biz_opaque_callback_data": message_id}
    _statuses(day, {**about, **to.sender("recipient_id", "recipient_user_id")}, more)


def _statuses(day: Day, about: dict[str, Any], more: int) -> None:
    words = (("sent", "delivered", "read"), ("sent", "read"), ("failed",), ("sent", "warning"), ("played", "read"))
    for step, word in enumerate(words[more % len(words)]):
        if (about["id"], word) in day.reported:
            continue  # Meta says the same again, never something else under the same word
        day.reported.add((about["id"], word))
        at = str(int(day.at.timestamp()) + step)
        element = {**about, "status": word, "timestamp": at}
        if word == "failed":
            element["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
        else:
            element["pricing"] = {
                "pricing_model": "PMP",
                "type": "regular",
                "category": ("utility", "service")[more % 2],
            }
        day.messages(statuses=[element])


def prefer(day: Day, citizen: Citizen, more: int) -> None:
    ids = citizen.sender("wa_id", "user_id")
    told = {**ids, "category": "marketing_messages", "value": ("stop", "resume")[more % 2]}
    told["timestamp"] = int(day.at.timestamp())
    day.account("user_preferences", day.value(contacts=[citizen.contact()], user_preferences=[told]))


def call(day: Day, citizen: Citizen, more: int) -> None:
    base = {"id": day.wamid("c"), "to": day.display, "direction": "USER_INITIATED", "timestamp": day.stamp}
    for event in ("connect", "terminate"):
        element = {**base, **citizen.sender(), "event": event}
        day.account("calls", day.value(contacts=[citizen.contact()], calls=[element]))


def past(day: Day, citizen: Citizen, more: int) -> None:
    """Share what was said before; at times with a message of today in it."""
    if citizen.hides:
        return
    before = str(int((day.at - timedelta(days=30)).timestamp()))
    messages = [
        {"from": citizen.wa_id, "id": day.wamid("h"), "timestamp": before, "type": "text", "text": {"body": "Eerder"}},
        {"from": day.display, "id": day.wamid("hp"), "timestamp": before, "type": "text", "text": {"body": "Toen"}},
    ]
    messages[1]["history_context"] = {"status": "READ"}
    thread = {"id": citizen.wa_id, "messages": messages}
    if not citizen.plain:
        thread["context"] = {"user_id": citizen.bsuid}
    day.account("history", day.value(history=[{"metadata": {"phase": more % 3}, "threads": [thread]}]))


def stand_by(day: Day, citizen: Citizen, more: int) -> None:
    element = {**citizen.sender(), "id": day.wamid("b"), "timestamp": day.stamp, "type": "text", "text": {"body": "?"}}
    day.account("standby", day.value(contacts=[citizen.contact()], messages=[element]))


def tell_of_the_number(day: Day, citizen: Citizen, more: int) -> None:
    shown = {"display_phone_number": day.display}
    told: list[tuple[str, dict[str, Any]]] = [
        ("phone_number_quality_update", {**shown, "event": ("FLAGGED", "UNFLAGGED")[more // 9 % 2]}),
        ("phone_number_quality_update", {**shown, "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_10K"}),
        ("phone_number_name_update", {**shown, "decision": "APPROVED", "requested_verified_name": f"Naam {more}"}),
        ("phone_number_name_update", {**shown, "decision": "REJECTED", "requested_verified_name": f"Nee {more}"}),
        ("business_capability_update", {"max_daily_conversations_per_business": (250, 2000, -1)[more // 9 % 3]}),
        ("security", {**shown, "event": ("PIN_RESET_REQUEST", "PIN_CHANGED")[more // 9 % 2]}),
        ("account_review_update", {"decision": ("APPROVED", "REJECTED")[more // 9 % 2]}),
        ("business_username_update", {**shown, "username": f"u{more}", "status": "approved"}),
        ("field_of_the_future", {"event": "X", "n": more}),
    ]
    day.account(*told[more % 9])


def tell_of_the_account(day: Day, citizen: Citizen, more: int) -> None:
    states = ("DISABLE", "REINSTATE", "SCHEDULE_FOR_DISABLE")
    told: list[dict[str, Any]] = [
        {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": states[more // 5 % 3]}},
        {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}},
        {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": f"R{more % 2}"}][: more // 5 % 2]},
        {"event": ("ACCOUNT_OFFBOARDED", "ACCOUNT_RECONNECTED")[more // 5 % 2]},
        {"event": "TELEPORTED"},
    ]
    day.account("account_update", told[more % 5])


def other(day: Day, citizen: Citizen, more: int) -> None:
    """Something that is set aside, or of a form that nobody can apply."""
    if more % 3 == 0:
        day.message(citizen, "g", type="text", text={"body": "Allemaal"}, group_id="g1")
    elif more % 3 == 1:
        day.messages(messages=[{**citizen.sender(), "id": day.wamid("bad"), "type": "text"}])
    else:
        day.messages(errors=[{"code": 130429, "title": "Rate limit hit"}])


ACTS = (
    write, write, write, answer, edit, edit, revoke, react, react, change_number, change_id, take_over_a_number, echo,
    report, report, prefer, call, past, stand_by, tell_of_the_number, tell_of_the_account, other,
)  # fmt: skip
