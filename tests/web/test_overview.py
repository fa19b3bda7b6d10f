"""The console's first page: stages, what waits for whom, numbers to look at, traffic, search; from `public` alone."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from messaging.core.models import DraftReview, InboxFigures, NumberHour
from messaging.measuring import measure_inboxes
from messaging.models import Template
from tenants.models import Municipality, Number, NumberHealth, Onboarding, StageMove, Trouble
from tests.refused_rows import accepted


@pytest.fixture
def support(people):
    """Return a browser of the BSP's support."""
    return people("public", "BSP_SUPPORT")


def page(client, query="") -> str:
    answer = client.get(f"/overview/{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def others(count: int, clock, stage="LIVE") -> None:
    """Have so many more municipalities, each with a number, its health, figures and traffic; without schemas."""
    for place in range(count):
        made = Municipality.objects.create(
            schema_name=f"gemeente{place}", name=f"Gemeente {place}", cbs_code=f"GM8{place:03d}", stage=stage,
            created_at=clock.now(),
        )  # fmt: skip
        Onboarding.objects.create(
            cbs_code=made.cbs_code, name=made.name, stage=stage, stage_since=clock.now(), municipality=made,
            created_at=clock.now(),
        )  # fmt: skip
        number = Number.objects.create(
            municipality=made,
            phone_number_id=f"77700000{place:05d}",
            waba_id=f"88800000{place:05d}",
            display_phone_number=f"+3185{place:07d}",
            pseudonym_key_encrypted=b"x",
            opened_at=clock.now(),
        )
        NumberHealth.objects.create(number=number, quality="RED", messaging_limit="TIER_2K")
        Trouble.objects.create(number=number, kind="SILENT", opened_at=clock.now())
        NumberHour.objects.create(
            phone_number_id=number.phone_number_id, municipality_id=made.id, hour=clock.now(), messages=2,
            lag_seconds=90,
        )  # fmt: skip
        InboxFigures.objects.create(municipality_id=made.id, measured_at=clock.now(), open=0, templates_paused=1)


# What the list counts of today's traffic stands in the schemas; those of the others are made as far as it looks.
SCHEMAS = """
    DO $$ BEGIN FOR place IN 0 .. 339 LOOP
        EXECUTE format('CREATE SCHEMA gemeente%s', place);
        EXECUTE format('CREATE VIEW gemeente%s.messaging_message AS SELECT * FROM utrecht.messaging_message', place);
    END LOOP; END $$
"""
# The first page, the list of all, those that are looked for, and the register.
LISTS = ("/overview/", "/municipalities/", "/municipalities/?q=gemeente", "/onboarding/", "/onboarding/?q=gemeente")


def queries(client) -> dict[str, int]:
    """Return how many queries each list takes."""
    found = {}
    for path in LISTS:
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        found[path] = len(captured)
    return found


class TestFigures:
    def test_it_costs_the_same_with_342_as_with_4(self, people, clock):
        operator = people("public", "BSP_OPERATOR")
        connection.cursor().execute(SCHEMAS)
        others(2, clock)
        few = queries(operator)
        InboxFigures.objects.all().delete()
        NumberHour.objects.all().delete()
        Number.objects.filter(phone_number_id__startswith="777").delete()
        Onboarding.objects.filter(cbs_code__startswith="GM8").delete()
        Municipality.objects.filter(schema_name__startswith="gemeente").delete()
        others(340, clock)
        assert Municipality.objects.count() == 342
        assert queries(operator) == few
        assert "En nog 290." in page(operator)
        assert operator.get("/municipalities/?q=gemeente").content.decode().count("+3185") == 340

    def test_it_counts_stages_and_says_what_waits_for_whom(self, support, clock):
        others(3, clock, stage="CONNECTED")
        DraftReview.objects.create(**accepted(DraftReview))
        InboxFigures.objects.update(
            dead=[
                {
                    "kind": "MESSAGE",
                    "field": "messages",
                    "reason": "x",
                    "count": 7,
                    "oldest_at": clock.now().isoformat(),
                }
            ]
        )
        ended = {"from_stage": "LIVE", "to_stage": "OFFBOARDED", "reason": "Opgezegd."}
        for place, days in enumerate((-2, -1, 0)):  # of two it is over, of the third today is the last day
            StageMove.objects.create(
                onboarding=Onboarding.objects.get(cbs_code=f"GM800{place}"), at=clock.now(), by_name="Otto",
                data_until_date=clock.now().date() + timedelta(days=days), **ended,
            )  # fmt: skip
        shown = page(support)
        row = shown.partition("Beëindigde gemeenten waarvan de gegevens gewist moeten worden</th>")[2]
        assert row.startswith('<td>ons</td><td class="number">2</td>')
        assert 'Verbonden</span></dt><dd class="tiles__figure">3<' in shown
        assert 'Live</span></dt><dd class="tiles__figure">2<' in shown
        assert "Gemeenten om te registreren</th><td>ons</td>" in shown
        assert "Gemarkeerde concepten van templates</th><td>ons</td>" in shown
        assert '<td class="number">21</td>' in shown

    def test_it_lists_a_number_for_each_reason_to_look_at_it(self, support, utrecht, delft, clock):
        number = utrecht.numbers.get()
        assert "Elk nummer werkt" in page(support)
        NumberHealth.objects.update_or_create(
            number=number, defaults={"quality": "YELLOW", "messaging_limit": "TIER_2K"}
        )
        shown = page(support)
        assert number.display_phone_number in shown
        assert "limiet TIER_2K" in shown
        NumberHealth.objects.update(quality="GREEN")
        assert number.display_phone_number not in page(support)
        with schema_context("utrecht"):
            Template.objects.filter(name="vervolg_op_uw_vraag").update(status="PAUSED")
        measure_inboxes(at=clock.now())
        assert "Templates die Meta heeft gepauzeerd of uitgeschakeld: 1" in page(support)
        NumberHour.objects.create(
            phone_number_id=number.phone_number_id, municipality_id=utrecht.id, hour=clock.now(), lag_seconds=75
        )
        assert "Webhooks kwamen vandaag tot 75 seconden te laat" in page(support)

    def test_it_draws_and_lists_the_traffic_of_two_weeks(self, support, utrecht, clock):
        number = utrecht.numbers.get().phone_number_id
        for days, count in ((0, 40), (13, 10), (14, 999)):
            hour = clock.now() - timedelta(days=days)
            NumberHour.objects.create(phone_number_id=number, municipality_id=utrecht.id, hour=hour, messages=count)
        shown = page(support)
        assert 'height="1400"' in shown
        assert 'height="350"' in shown
        assert "999" not in shown
        assert shown.count("<rect") == 14
        assert shown.count('<tr><th scope="row">') >= 14


class TestSearch:
    @pytest.mark.parametrize("asked", ["utre", "UTRECHT", "GM0344", "010 0344", "+31970100344"])
    def test_it_finds_by_name_code_and_number(self, support, utrecht, delft, asked):
        query = f"?q={asked.replace('+', '%2B').replace(' ', '+')}"
        for shown in (page(support, query), support.get(f"/municipalities/{query}").content.decode()):
            assert 'href="/municipalities/utrecht/">Utrecht</a>' in shown
            assert 'href="/municipalities/delft/">Delft</a>' not in shown

    def test_it_says_when_there_is_none(self, support):
        for asked in ("Atlantis", "%25", str(uuid.uuid4())):
            assert "Geen gemeente die wij bedienen past bij deze woorden." in page(support, f"?q={asked}")
            assert "past bij deze woorden" in support.get(f"/municipalities/?q={asked}").content.decode()


def test_agents_of_municipalities_never_see_it(people):
    assert people("utrecht", "ADMIN").get("/overview/").status_code == 404
    assert people("public", "BSP_FINANCE").get("/overview/").status_code == 403
