"""The whole road of a municipality in real browsers, in Dutch: from an empty application to a citizen who is answered.

Who walks: the BSP's employee, the municipality over its link, who approves at the BSP, and the municipality's first
admin. Each tries on the way what is refused (tests/web/refusals.py).
"""

from collections.abc import Iterator

import pytest

from tests.web import applying, connecting, governing
from tests.web.road import Road


@pytest.fixture
def road(played, opened) -> Iterator[Road]:
    """Return the road; what its pages complain about fails the test."""
    made = Road(played, opened)
    yield made
    for each in made.contexts:
        each.close()
    assert made.complaints == []


def test_a_municipality_goes_from_an_empty_application_to_its_first_citizen_who_is_answered(road, tmp_path):
    applying.begin(road)
    applying.open_link(road)
    applying.fill_in_together(road)
    applying.sign(road, tmp_path)
    applying.hand_in(road)
    applying.reject(road, tmp_path)
    applying.decide(road)
    connecting.connect(road)
    connecting.register(road)
    governing.join(road)
    governing.answer_too(road)
    governing.write_a_template(road)
    governing.declare_otherwise(road)
    governing.answer(road)
    governing.wait_for_an_election(road)
    governing.suspend(road)
    governing.end(road)
