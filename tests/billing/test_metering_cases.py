import pytest
from ledger_in_database import DatabaseLedger
from worked_cases import CASES, expected_conversations, expected_corrections

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
class TestTheCasesWorkedByHand:
    def test_they_come_out_of_the_database(self, case):
        ledger = DatabaseLedger().play(case["steps"])
        assert ledger.conversations() == expected_conversations(case)
        assert ledger.corrections() == expected_corrections(case)

    def test_they_come_out_when_reports_and_links_come_the_other_way_round(self, case):
        ledger = DatabaseLedger().play(reversed_between_closings(case["steps"]))
        assert ledger.conversations() == expected_conversations(case)
        assert ledger.corrections() == expected_corrections(case)


def reversed_between_closings(steps: list) -> list:
    """Turn round each stretch of steps between two closings."""
    turned: list = []
    stretch: list = []
    for step in steps:
        if "close" in step:
            turned += [*reversed(stretch), step]
            stretch = []
        else:
            stretch.append(step)
    return turned + stretch[::-1]
