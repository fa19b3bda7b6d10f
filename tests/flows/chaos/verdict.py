"""What became of everything: the platform's rows held against the sandbox's own books."""

from collections import Counter
from dataclasses import dataclass, field

from tests.flows.chaos.load import Sent
from tests.flows.live import Live

SETTLED = {"ACCEPTED", "SENT", "DELIVERED", "READ", "PLAYED", "FAILED", "UNCERTAIN"}
RANK = {state: rank for rank, state in enumerate(("ACCEPTED", "SENT", "FAILED", "DELIVERED", "READ", "PLAYED"))}


@dataclass
class Verdict:
    """The counts of one run. `faults` says in words what must not be; it is empty when all is well."""

    inbound: dict[str, int] = field(default_factory=dict)
    outbound: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    media: dict[str, int] = field(default_factory=dict)
    api: dict[str, int] = field(default_factory=dict)
    conversations: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def must(self, holds: bool, otherwise: str) -> None:
        """Note what is wrong unless it holds."""
        if not holds:
            self.faults.append(otherwise)


def judge(*, live: Live, sent: list[Sent], may_be_uncertain: int) -> Verdict:
    """Compare everything, once both sides are at rest."""
    verdict = Verdict()
    _judge_inbound(live, verdict)
    _judge_outbound(live, verdict, may_be_uncertain)
    _judge_media(live, verdict)
    _judge_api(live, verdict, sent)
    _judge_conversations(live, verdict)
    return verdict


def _judge_inbound(live: Live, verdict: Verdict) -> None:
    books = live.rows("inbound")
    lost = foreign = twice = dead = unapplied = stored = 0
    for schema, (_, _, _, number) in live.towns.items():
        acknowledged = {row["wamid"] for row in books if row["phone_number_id"] == number and row["acknowledged"]}
        known = {row["wamid"] for row in books if row["phone_number_id"] == number}
        here = Counter(
            row[0]
            for row in live.ask("SELECT wamid FROM {s}.messaging_message WHERE direction = 'INBOUND'", schema=schema)
        )
        here.update(_kept_elsewhere(live, schema, acknowledged - set(here)))
        stored += len(here)
        lost += len(acknowledged - set(here))
        foreign += len(set(here) - known)
        twice += sum(1 for count in here.values() if count > 1)
        by_state = dict(live.ask("SELECT state, count(*) FROM {s}.inbox_event GROUP BY state", schema=schema))
        dead += by_state.get("DEAD", 0)
        unapplied += by_state.get("OPEN", 0)
    verdict.inbound = {
        "written": len(books),
        "acknowledged": sum(1 for row in books if row["acknowledged"]),
        "deliveries": sum(row["deliveries"] for row in books),
        "stored": stored,
        "lost": lost,
        "stored_twice": twice,
        "of_another": foreign,
        "dead": dead,
        "unapplied": unapplied,
    }
    for name in ("lost", "stored_twice", "of_another", "dead", "unapplied"):
        verdict.must(verdict.inbound[name] == 0, f"inbound: {verdict.inbound[name]} {name}")
    verdict.must(len(books) == verdict.inbound["acknowledged"], "inbound: not all acknowledged in the end")


def _kept_elsewhere(live: Live, schema: str, wamids: set[str]) -> list[str]:
    """Return which of these are kept as something else than a message of their own, such as a reaction."""
    columns = live.ask(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = %s AND column_name = 'wamid'"
        " AND table_name <> 'messaging_message'",
        schema,
    )
    found: list[str] = []
    for (table,) in columns:
        query = f"SELECT wamid FROM {{s}}.{table} WHERE wamid = ANY(%s)"
        found += [row[0] for row in live.ask(query, list(wamids), schema=schema)]
    return found


def _judge_outbound(live: Live, verdict: Verdict, may_be_uncertain: int) -> None:
    sends = [row for row in live.rows("sends") if row["outcome"] == "ACCEPTED"]
    taken = Counter(row["biz_opaque_callback_data"] for row in sends)
    reported = {row["biz_opaque_callback_data"]: row for row in sends if row["statuses"]}
    states: Counter[str] = Counter()
    behind = unreasoned = wrongly_unsure = never_sent = 0
    for schema in live.towns:
        query = "SELECT id::text, state, failed_reason FROM {s}.messaging_message WHERE direction = 'OUTBOUND'"
        for ours, state, reason in live.ask(query, schema=schema):
            states[state] += 1
            unreasoned += state == "FAILED" and not reason
            wrongly_unsure += state == "UNCERTAIN" and ours in reported
            never_sent += state in RANK and state != "FAILED" and ours not in taken
            if ours in reported and state in RANK:
                furthest = max(RANK[status.upper()] for status in reported[ours]["statuses"])
                behind += RANK[state] < furthest
    unsettled = sum(count for state, count in states.items() if state not in SETTLED)
    outbox = sum(
        live.ask("SELECT count(*) FROM {s}.messaging_outboxitem", schema=schema)[0][0] for schema in live.towns
    )
    verdict.outbound = {
        "queued": sum(states.values()),
        **{state.lower(): count for state, count in sorted(states.items())},
        "taken_by_meta": len(sends),
        "sent_twice": sum(1 for count in taken.values() if count > 1),
        "unsettled": unsettled,
        "in_outbox": outbox,
        "failed_without_reason": unreasoned,
        "uncertain_though_reported": wrongly_unsure,
        "said_sent_but_not_taken": never_sent,
        "may_be_uncertain": may_be_uncertain,
    }
    wrong = ("sent_twice", "unsettled", "in_outbox", "failed_without_reason")
    for name in (*wrong, "uncertain_though_reported", "said_sent_but_not_taken"):
        verdict.must(verdict.outbound[name] == 0, f"outbound: {verdict.outbound[name]} {name}")
    verdict.must(
        states["UNCERTAIN"] <= may_be_uncertain,
        f"outbound: {states['UNCERTAIN']} UNCERTAIN, though only {may_be_uncertain} were in flight at a kill or a hang",
    )
    verdict.statuses = {
        "acknowledged": sum(len(row["statuses"]) for row in sends),
        "messages_behind_their_status": behind,
    }
    verdict.must(behind == 0, f"statuses: {behind} messages are behind what Meta reported")


def _judge_media(live: Live, verdict: Verdict) -> None:
    """Every picture was fetched: its message has it, and its bytes are kept whole."""
    states: Counter[str] = Counter()
    without = unfinished = 0
    for schema in live.towns:
        states.update(dict(live.ask("SELECT state, count(*) FROM {s}.messaging_medium GROUP BY state", schema=schema)))
        query = "SELECT count(*) FROM {s}.messaging_message WHERE kind = 'image' AND medium_id IS NULL"
        without += live.ask(query, schema=schema)[0][0]
        query = (
            "SELECT count(*) FROM {s}.messaging_medium AS medium WHERE state = 'STORED' AND NOT EXISTS ("
            "SELECT FROM {s}.messaging_blob WHERE medium_id = medium.id AND state = 'KEPT' AND part = 'ORIGINAL')"
        )
        unfinished += live.ask(query, schema=schema)[0][0]
    verdict.media = {
        **{state.lower(): count for state, count in sorted(states.items())},
        "messages_without": without,
        "stored_without_its_bytes": unfinished,
    }
    verdict.must(set(states) <= {"STORED"}, f"media: {dict(states)}")
    verdict.must(without == unfinished == 0, f"media: {without} without, {unfinished} without its bytes")


def _judge_api(live: Live, verdict: Verdict, sent: list[Sent]) -> None:
    missing = 0
    for schema in live.towns:
        promised = {each.message_id for each in sent if each.schema == schema}
        query = "SELECT id::text FROM {s}.messaging_message WHERE id::text = ANY(%s)"
        missing += len(promised) - len(live.ask(query, sorted(filter(None, promised)), schema=schema))
    verdict.api = {
        "answered": len(sent),
        "asked_again": sum(1 for each in sent if each.tries > 1),
        "messages": len({each.message_id for each in sent}),
        "missing": missing,
    }
    verdict.must(missing == 0, f"api: {missing} messages answered for are not there")
    verdict.must(len({each.message_id for each in sent}) == len(sent), "api: two keys share a message")
    made = 0
    for schema in live.towns:
        query = "SELECT count(*) FROM {s}.messaging_message WHERE text LIKE 'Van het zaaksysteem%%' AND %s"
        made += live.ask(query, True, schema=schema)[0][0]
    verdict.api["made"] = made
    verdict.must(made == len(sent), f"api: {made} messages were made for {len(sent)} keys")


def _judge_conversations(live: Live, verdict: Verdict) -> None:
    month = live.get("clock")["now"][:7]
    theirs = live.get(f"conversations?month={month}")["total"]
    ours = live.ask("SELECT count(*) FROM public.billing_conversation WHERE month = %s", f"{month}-01")[0][0]
    verdict.conversations = {"metered": ours, "sandbox": theirs}
    verdict.must(ours == theirs, f"conversations: {ours} metered, {theirs} by the sandbox's count")
