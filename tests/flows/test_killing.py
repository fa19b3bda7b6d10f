"""kill -9 during a stream of webhooks and replies: every acknowledged event is there once, nothing is sent twice."""

import signal
import time
from collections import Counter

import pytest

from tests.flows.live import TOWNS, Live, Traffic, eventually

WORKERS = ("worker-inbox", "worker-media", "worker-maintenance")
SETTLED = {"SENT", "DELIVERED", "READ", "FAILED", "UNCERTAIN"}


def assert_all_is_there_once(live: Live) -> None:
    """Compare the platform's rows with the sandbox's own books."""
    written = Counter(row["wamid"] for row in live.rows("inbound"))
    stored: Counter[str] = Counter()
    states: Counter[str] = Counter()
    for schema, (_, _, _, number) in TOWNS.items():
        query = "SELECT wamid FROM {s}.messaging_message WHERE direction = 'INBOUND'"
        mine = [row[0] for row in live.ask(query, schema=schema)]
        assert set(mine) == {row["wamid"] for row in live.rows("inbound", number=number)}
        stored.update(mine)
        states.update(live.states(schema))
        assert live.ask("SELECT count(*) FROM {s}.inbox_event WHERE state = 'DEAD'", schema=schema) == [(0,)]
    assert stored == Counter(dict.fromkeys(written, 1))
    assert set(states) <= SETTLED, states
    summary = live.get("books/summary")
    assert summary["duplicates_by_opaque_id"] == 0
    assert summary["unacknowledged"] == 0
    # What Meta accepted and reported is known here: only what it never got, or never reported, may be uncertain.
    reported = {row["biz_opaque_callback_data"] for row in live.rows("sends") if row["statuses"]}
    for schema in TOWNS:
        query = "SELECT id::text FROM {s}.messaging_message WHERE state = 'UNCERTAIN'"
        uncertain = {row[0] for row in live.ask(query, schema=schema)}
        assert not uncertain & reported


@pytest.mark.parametrize("name", ["worker-inbox", "sender", "web", "redis", "postgres"])
def test_a_killed_process_loses_and_doubles_nothing(live: Live, name: str):
    with Traffic(live) as traffic:
        time.sleep(2.0)
        before = {each: live.instance.supervisor.pid(each) for each in WORKERS}
        for _ in range(2):
            _kill(live, name)
            time.sleep(1.5)
        if name == "redis":
            # A worker that connects anew by itself may live on and take nothing: each begins anew.
            eventually(lambda: all(_is_new(live, each, pid) for each, pid in before.items()))
    assert traffic.written > 20
    live.rest()
    live.answer()
    live.rest()
    assert_all_is_there_once(live)


def _is_new(live: Live, name: str, before: int | None) -> bool:
    return live.instance.supervisor.pid(name) not in {None, before}


def _kill(live: Live, name: str) -> None:
    instance = live.instance
    if name == "postgres":
        instance.kill_postgres()
        time.sleep(0.5)
        instance.start_killed_servers()
    elif name == "redis":
        instance.kill_redis()
        time.sleep(0.5)
        instance.start_killed_servers()
    else:
        instance.supervisor.kill(name, signal.SIGKILL, group=True)
        instance.wait_until_healthy()


def test_a_sender_killed_between_metas_answer_and_the_commit_does_not_send_again(live: Live):
    live.rest()
    accepted = live.get("books/summary")["sends_accepted"]
    # The agents' answer is queued; Meta takes its time, in which a lock of ours gets before the sender's commit.
    live.instance.supervisor.stop("sender")
    live.write("utrecht", "Kan ik langskomen?", phone="+31697200001")
    live.answer()
    ((message_id,),) = live.ask("SELECT message_id FROM {s}.messaging_outboxitem", schema="utrecht")
    live.post("faults", {"sends": [{"kind": "delay", "seconds": 2, "phone_number_id": TOWNS["utrecht"][3]}]})
    live.instance.supervisor.start("sender")
    query = "SELECT state FROM {s}.messaging_message WHERE id = %s"
    eventually(lambda: live.ask(query, message_id, schema="utrecht") == [("SENDING",)])
    with live.connect() as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT FROM utrecht.messaging_message WHERE id = %s FOR UPDATE", [message_id])
        eventually(lambda: live.get("books/summary")["sends_accepted"] == accepted + 1)
        time.sleep(0.3)  # Meta's answer is there now, and waits for the lock
        live.instance.supervisor.kill("sender", signal.SIGKILL, group=True)
        assert live.ask(query, message_id, schema="utrecht") == [("SENDING",)]
    live.rest()
    eventually(lambda: live.ask(query, message_id, schema="utrecht")[0][0] in {"SENT", "DELIVERED", "READ"})
    assert live.get("books/summary")["sends_accepted"] == accepted + 1
    assert_all_is_there_once(live)
