"""A number's pace: what may leave now, and what a lane that got its turn late may make up for."""

import pytest

from messaging.lanes.pace import MOST_INBOUND, SLOWEST, Pace

SECONDS = 30.0


def left(pace: Pace, *, every: float, seconds: float = SECONDS) -> list[tuple[float, int]]:
    """Return when how many left, of a lane that gets its turn so often and always has work."""
    at, found = 100.0, []
    while at < 100.0 + seconds:
        messages = pace.allowance(at=at)
        pace.spend(messages=messages, at=at)
        found.append((at, messages))
        at += max(every, pace.seconds_until_next(at=at))
    return found


@pytest.mark.parametrize("per_second", [1, 10, 80, 1000])
@pytest.mark.parametrize("every", [0.001, 0.05, 0.11, 0.19])
def test_a_lane_keeps_its_pace_although_its_turns_come_late(per_second, every):
    turns = left(Pace(per_second=per_second), every=every)
    first = turns[0][1]
    assert per_second * SECONDS * 0.98 - 1 <= sum(messages for _, messages in turns) - first <= per_second * SECONDS


@pytest.mark.parametrize("per_second", [20, 80, 1000])
def test_no_second_holds_more_than_the_pace_and_what_may_go_at_once(per_second):
    turns = left(Pace(per_second=per_second), every=0.001, seconds=5.0)
    for begun, _ in turns:
        within = sum(messages for at, messages in turns if begun <= at < begun + 1.0)
        assert within <= per_second * 1.2 + 1


def test_a_long_rest_is_not_made_up_for():
    pace = Pace(per_second=80)
    assert pace.allowance(at=1000.0) == 16
    pace.spend(messages=16, at=1000.0)
    assert pace.allowance(at=1060.0) == 16


def test_what_is_worth_a_claim_is_a_tick_of_it():
    pace = Pace(per_second=80)
    pace.spend(messages=pace.allowance(at=1000.0), at=1000.0)
    assert pace.seconds_until_next(at=1000.0) == pytest.approx(0.1)


def test_it_is_halved_once_for_what_left_together_and_comes_back_in_ten_seconds():
    pace = Pace(per_second=80)
    assert [pace.slow_down(at=at) for at in (100.0, 100.2, 100.9)] == [True, False, False]
    assert pace.current(at=100.9) == pytest.approx(40, abs=4)
    assert pace.current(at=110.1) == 80
    for second in range(20):
        pace.slow_down(at=120.0 + 1.1 * second)
    assert pace.current(at=141.0) >= 80 * SLOWEST  # it never stands still


def test_what_citizens_write_counts_too_but_never_takes_all_of_it():
    pace = Pace(per_second=80)
    pace.spend(messages=pace.allowance(at=100.0), at=100.0)
    pace.spend_inbound(messages=40, seconds=1.0, at=100.0)
    assert pace.seconds_until_next(at=100.0) == pytest.approx(0.1 + 40 / 80)
    pace.spend_inbound(messages=10_000, seconds=1.0, at=100.0)
    assert pace.seconds_until_next(at=100.0) == pytest.approx(0.1 + 40 / 80 + MOST_INBOUND)
