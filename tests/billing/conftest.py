"""Usage to bill: reports recorded for Utrecht and Delft, and the prices to bill them at."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest
from worked_cases import STANDARD_CARD

from audit.record import Actor
from billing.metering import StatusReport, record_reports
from billing.prices import load_card

LOADED_AT = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
RECORDED_AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def standard_card(db):
    """Load the rate card that is shipped as an example."""
    return load_card(text=STANDARD_CARD.read_text(), actor=Actor.system("tests"), at=LOADED_AT).card


@pytest.fixture
def deliver():
    """Return a function that records so many delivered messages, each to another contact: so many conversations."""

    def record(municipality, count: int, *, category: str = "utility", day: datetime, series: str = "w") -> None:
        number = municipality.numbers.get()
        record_reports(
            reports=[
                StatusReport(
                    municipality_id=municipality.id,
                    phone_number_id=number.phone_number_id,
                    pseudonym_key=number.pseudonym_key(),
                    contact_id=uuid5(NAMESPACE_URL, f"{series} {category} {day} {place}"),
                    wamid=f"{series} {category} {day} {place}",
                    status="delivered",
                    stamped_at=day + timedelta(minutes=place),
                    pricing_model="PMP",
                    pricing_type="regular",
                    pricing_category=category,
                    purpose="PERMITS",
                    template_name=None,
                    template_category=None,
                )
                for place in range(count)
            ],
            recorded_at=RECORDED_AT,
        )

    return record
