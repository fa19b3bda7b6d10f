"""How fast one process applies what came in: `python -m pytest -n0 -s tests/messaging/draining_speed.py`.

Not a test (its name keeps it out of a run): it prints events a second, for new and for known citizens and for statuses,
so that a change to the hot path can be measured before and after.
"""

import sys
import time

import pytest

from billing import metering as billing_metering
from messaging import inbox
from messaging.models import InboxEvent, Message
from messaging.replying import reply
from tests.messaging import meta

EVENTS, CITIZENS = 1_000, 400


def wa_id(number: int) -> str:
    return f"3169{number % CITIZENS:07d}"


def drained(municipality) -> str:
    """Return the events a second of draining what is open, and the processor time of this process for each.

    The second figure is the one to compare where others work on the same machine.
    """
    waiting = InboxEvent.objects.filter(state="OPEN").count()
    begun, worked = time.perf_counter(), time.process_time()
    while inbox.drain(schema_name=municipality.schema_name):
        pass
    assert not InboxEvent.objects.exclude(state="APPLIED").exists()
    took, cpu = time.perf_counter() - begun, time.process_time() - worked
    return f"{waiting / took:.0f}/s, {cpu / waiting * 1e6:.0f} microseconds each"


@pytest.mark.parametrize("ids", ["number", "number and id"])
def test_messages(utrecht, here, clock, ids):
    for run in ("new citizens", "known citizens", "known citizens"):
        bodies = (
            meta.message(
                utrecht,
                wamid=f"wamid.{run}.{time.monotonic_ns()}.{n}",
                wa_id=wa_id(n),
                bsuid=f"NL.{n % CITIZENS}" if ids == "number and id" else None,
                at=clock.move(seconds=1),
            )
            for n in range(EVENTS)
        )
        meta.store(utrecht, *bodies)
        sys.stdout.write(f"\nmessages, {ids}, {run}: {drained(utrecht)}")


def test_statuses(utrecht, thread, agent, clock):
    made = [reply(thread_id=thread.id, text="x", actor=agent, at=clock.now()) for _ in range(300)]
    for n, message in enumerate(made):
        Message.objects.filter(id=message.id).update(state="ACCEPTED", wamid=f"wamid.OUT{n}")
    for status in ("sent", "delivered", "read"):
        pricing = {"pricing": {"pricing_model": "PMP", "type": "free_customer_service", "category": "service"}}
        bodies = (
            meta.status(utrecht, wamid=f"wamid.OUT{n}", status=status, opaque_id=str(message.id), **pricing)
            for n, message in enumerate(made)
        )
        meta.store(utrecht, *bodies)
        sys.stdout.write(f"\nstatuses, {status}: {drained(utrecht)}")


def test_what_metering_adds(utrecht, here, thread, agent, clock, monkeypatch):
    """Print the share of metering in a mixed day: two messages in, one answer out with its three statuses."""
    spent = {"wall": 0.0}
    original = billing_metering.record_reports

    def timed(**given):
        begun = time.perf_counter()
        try:
            return original(**given)
        finally:
            spent["wall"] += time.perf_counter() - begun

    monkeypatch.setattr(billing_metering, "record_reports", timed)
    made = [reply(thread_id=thread.id, text="x", actor=agent, at=clock.now()) for _ in range(300)]
    for n, message in enumerate(made):
        Message.objects.filter(id=message.id).update(state="ACCEPTED", wamid=f"wamid.OUT{n}")
    pricing = {"pricing": {"pricing_model": "PMP", "type": "free_customer_service", "category": "service"}}
    bodies = []
    for n, message in enumerate(made):
        for turn in range(2):
            wamid = f"wamid.in.{n}.{turn}"
            bodies.append(meta.message(utrecht, wamid=wamid, wa_id=wa_id(n), at=clock.move(seconds=1)))
        for status in ("sent", "delivered", "read"):
            given = {"wamid": f"wamid.OUT{n}", "status": status, "opaque_id": str(message.id)}
            bodies.append(meta.status(utrecht, **given, **pricing))
    meta.store(utrecht, *bodies)
    begun = time.perf_counter()
    said = drained(utrecht)
    whole = time.perf_counter() - begun
    share = spent["wall"] / (whole - spent["wall"])
    sys.stdout.write(f"\nmixed: {said}; metering adds {share:.1%}")
