"""A day's webhooks, in any order, batched anew and sent twice, come to the same state of the database.

A few days in every run; as many as FUZZ_EXAMPLES says under `make fuzz`.
"""

import os
import random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from messaging import inbox
from messaging.contacts import evidence
from messaging.contacts.evidence import Identity
from messaging.replying import reply
from messaging.threads import open_for
from tests.messaging import meta
from tests.messaging.canonical import dump
from tests.messaging.day import Day

# Each day is played three times, so that looking for the smallest one that fails takes minutes: left to `make fuzz`.
FUZZING = "FUZZ_EXAMPLES" in os.environ
PHASES = [Phase.explicit, Phase.generate, *([Phase.shrink] if FUZZING else [])]
DAYS = int(os.environ.get("FUZZ_EXAMPLES", "0")) // 10 or 25
acts = st.lists(st.tuples(st.integers(0, 21), st.integers(0, 3), st.integers(0, 44)), min_size=2, max_size=18)


class Undo(Exception):
    """Ends a run, and all that it did."""


@pytest.fixture
def ours(utrecht, here, agent, clock) -> list[tuple[str, int]]:
    """Return three messages of ours that wait for their lane, two of them to citizens known by a number alone."""
    from messaging.models import Contact, Thread

    # Who writes to somebody first names them by one id; that the first has two is known from Meta.
    wrote = Identity(wa_id="31697000100", bsuid="NL.citizen0", at=clock.now())
    evidence.record(identities=[wrote], changes=[])
    made = []
    for place in (0, 1, 3):
        bsuid = wrote.bsuid if place == 0 else None
        contact = Contact.objects.create(wa_id=f"3169700010{place}", bsuid=bsuid, created_at=clock.now())
        thread = open_for(contact=contact, phone_number_id=meta.number_id(utrecht), at=clock.now())
        Thread.objects.filter(id=thread.id).update(last_inbound_at=clock.now())
        made.append((str(reply(thread_id=thread.id, text="Op de Markt.", actor=agent, at=clock.now()).id), place))
    return made


def played(municipality, posts, drains) -> dict:
    """Return what these POSTs come to; afterwards it is as if they had never come."""
    found: dict = {}
    try:
        with transaction.atomic():
            for post, drained in zip(posts, drains, strict=True):
                meta.store(municipality, {"object": "whatsapp_business_account", "entry": post})
                if drained:
                    inbox.drain(schema_name=municipality.schema_name)
            inbox.drain(schema_name=municipality.schema_name)
            found = dump(municipality)
            raise Undo
    except Undo:
        return found


def shuffled(updates, generator) -> list[list]:
    """Return the updates as POSTs: in another order, some twice, together or alone."""
    given = updates + generator.sample(updates, generator.randint(0, len(updates)))
    generator.shuffle(given)
    posts = []
    while given:
        size = generator.choice((1, 1, 2, 3, len(given)))
        posts.append(given[:size])
        given = given[size:]
    return posts


# Another application answered, and in the same second we heard a citizen, after it was known to answer earlier.
@example(
    acts=[
        *((12, 1, 6), (6, 0, 17), (3, 3, 12), (10, 0, 39), (6, 2, 11), (20, 3, 31), (12, 2, 35), (18, 2, 29)),
        *((16, 0, 13), (18, 2, 29), (3, 0, 44)),
    ],
    seed=3324380,
)
# The phone answered somebody's new number, before it was known whose it is: who waited under the old one has it.
@example(acts=[(0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (9, 0, 1), (12, 0, 0)], seed=0)
# A number that changed, told without the id, and again with it, in one batch.
@example(acts=[(9, 0, 0), (9, 0, 9)], seed=2**32)
@given(acts=acts, seed=st.integers(0, 2**32))
@settings(
    max_examples=DAYS,
    phases=PHASES,
    print_blob=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_any_order_comes_to_the_same(utrecht, here, ours, acts, seed):
    number = utrecht.numbers.get()
    day = Day(number.waba_id, number.phone_number_id, number.display_phone_number.lstrip("+"), ours)
    updates = day.play(acts)
    if not updates:
        return
    generator = random.Random(seed)
    expected = played(utrecht, [[update] for update in updates], [True] * len(updates))
    for _ in range(2):
        posts = shuffled(updates, generator)
        found = played(utrecht, posts, [generator.random() < 0.6 for _ in posts])
        for table in expected:
            assert found[table] == expected[table], table
