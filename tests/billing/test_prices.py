import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from worked_cases import STANDARD_CARD

from audit.models import Entry
from audit.record import Actor
from billing.card_files import BadRateCard, parse_card
from billing.invoicing import run
from billing.models import RateCard
from billing.prices import UsedRateCard, all_cards, load_card

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
STANDARD = json.loads(STANDARD_CARD.read_text())


def load(**changes) -> str:
    return load_card(text=json.dumps(STANDARD | changes), actor=Actor.system("tests"), at=AT).outcome


def use_it() -> None:
    run(month=date(2026, 10, 1), at=AT, actor=Actor.system("tests"))


class TestLoadCard:
    def test_it_keeps_prices_to_the_last_digit(self):
        assert load(prices={"UTILITY": "0.062501"}) == "CREATED"
        assert all_cards()[0].prices == {"UTILITY": Decimal("0.062501")}

    def test_it_does_nothing_when_repeated(self):
        assert [load(), load()] == ["CREATED", "UNCHANGED"]
        assert RateCard.objects.count() == 1

    def test_it_changes_a_card_that_nobody_used(self):
        load()
        assert load(platform_fee="99.00") == "CHANGED"
        assert all_cards()[0].platform_fee == 99

    @pytest.mark.parametrize(
        "change",
        [{"platform_fee": "99.00"}, {"vat_rate": "0.09"}, {"name": "Other"}, {"prices": {"UTILITY": "0.0625"}}],
        ids=str,
    )
    def test_it_refuses_to_change_a_used_card(self, change, utrecht):
        load()
        use_it()
        with pytest.raises(UsedRateCard, match="2026-01-01 was used"):
            load(**change)
        assert all_cards()[0].platform_fee == 150

    def test_it_adds_a_price_that_a_used_card_lacked(self, utrecht):
        load()
        use_it()
        assert load(prices=STANDARD["prices"] | {"GROUP_UTILITY": "0.10"}) == "CHANGED"
        assert all_cards()[0].prices["GROUP_UTILITY"] == Decimal("0.1")
        assert all_cards()[0].prices["UTILITY"] == Decimal("0.0625")

    def test_it_refuses_a_new_card_for_a_closed_month(self, utrecht):
        load()
        run(month=date(2026, 10, 1), at=AT, actor=Actor.system("tests"), review=True, early=True)
        with pytest.raises(UsedRateCard, match="2026-10 is closed"):
            load(valid_from="2026-10-15")
        assert load(valid_from="2026-11-01", platform_fee="160.00") == "CREATED"

    def test_it_refuses_another_fee_in_the_middle_of_a_month(self):
        load()
        with pytest.raises(BadRateCard, match="first of a month only"):
            load(valid_from="2026-10-15", platform_fee="160.00")
        assert load(valid_from="2026-10-15", prices={"UTILITY": "0.07"}) == "CREATED"

    def test_it_leaves_an_entry_in_the_trail(self):
        load()
        entry = Entry.objects.latest("sequence")
        assert (entry.action, entry.subject, entry.details["outcome"]) == (
            "rate_card.load",
            "rate card 2026-01-01",
            "CREATED",
        )


class TestParseCard:
    def test_it_reads_the_card_that_is_shipped(self):
        name, card = parse_card(text=STANDARD_CARD.read_text())
        assert (name, card.valid_from, card.vat_rate) == ("Standaard 2026", date(2026, 1, 1), Decimal("0.21"))

    def test_it_reads_numbers_without_rounding_them(self):
        _, card = parse_card(text=json.dumps(STANDARD).replace('"0.149500"', "0.1495"))
        assert card.prices["MARKETING"] == Decimal("0.1495")

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"currency": "USD"}, "currency must be EUR"),
            ({"vat_rate": "21"}, "write 21% as 0.21"),
            ({"vat_rate": "-0.1"}, "vat_rate must be an amount"),
            ({"vat_rate": "0.21001"}, "more than 4 decimals"),
            ({"platform_fee": "NaN"}, "platform_fee must be an amount"),
            ({"platform_fee": None}, "platform_fee must be an amount"),
            ({"platform_fee": True}, "platform_fee must be an amount"),
            ({"platform_fee": "1e30"}, "platform_fee must be an amount"),
            ({"prices": {"UTILITY": "0.0000001"}}, "UTILITY has more than 6 decimals"),
            ({"prices": {"utility": "0.1"}}, "not written as a category"),
            ({"prices": {"": "0.1"}}, "not written as a category"),
            ({"prices": {}}, "prices must hold"),
            ({"prices": []}, "prices must hold"),
            ({"valid_from": "1-1-2026"}, "valid_from must be a day"),
            ({"valid_from": 20260101}, "valid_from must be a day"),
            ({"name": ""}, "name must be"),
            ({"tiers": []}, "exactly these keys"),
        ],
        ids=str,
    )
    def test_it_says_what_is_wrong(self, change, said):
        with pytest.raises(BadRateCard, match=said):
            parse_card(text=json.dumps(STANDARD | change))

    @pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000])
    def test_it_refuses_what_is_no_object(self, text):
        with pytest.raises(BadRateCard):
            parse_card(text=text)


class TestLoadRateCard:
    def test_it_loads_the_file(self, clock, capsys):
        call_command("load_rate_card", str(STANDARD_CARD))
        assert capsys.readouterr().out == "Standaard 2026, valid from 2026-01-01: created\n"

    def test_it_says_in_one_line_why_it_refuses(self, clock, tmp_path):
        file = tmp_path / "card.json"
        for content in (None, b"\xff", b"{}"):
            if content is not None:
                file.write_bytes(content)
            with pytest.raises(CommandError) as refused:
                call_command("load_rate_card", str(file))
            assert refused.value.returncode == 2
            assert len(str(refused.value).splitlines()) == 1
