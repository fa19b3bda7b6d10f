"""The demo's month, played on a platform of its own, and its report checked by hand."""

import json
import os
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from config.local import testing
from config.local.folders import ROOT

PRICES = {"SERVICE": Decimal("0.045"), "UTILITY": Decimal("0.0625"), "REFERRAL_CONVERSION": Decimal(0)}
PLATFORM_FEE_CENTS = 15_000
VAT = Decimal("0.21")


@pytest.fixture(scope="module")
def demo():
    """Return the demo's report and what it printed."""
    folder = Path(os.environ[testing.RUN_FOLDER]) / "demo"
    command = [sys.executable, "-m", "tests.flows.play_demo", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "report.json").read_text()), done.stdout


def cents(amount: Decimal) -> int:
    return int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class TestReport:
    def test_four_municipalities_are_live(self, demo):
        report, _ = demo
        assert [(each["schema"], each["stage"]) for each in report["municipalities"]] == [
            ("almelo", "LIVE"),
            ("borne", "LIVE"),
            ("enschede", "LIVE"),
            ("hengelo", "LIVE"),
        ]

    def test_every_inbound_message_is_in_exactly_one_tenant(self, demo):
        inbound = demo[0]["inbound"]
        assert inbound["received"] == inbound["stored"] == sum(inbound["by_schema"].values())
        assert inbound["received_by_schema"] == inbound["by_schema"]  # by the number written to, in the books
        assert inbound["received"] >= 400
        assert all(count > 0 for count in inbound["by_schema"].values())

    def test_every_queued_message_was_accepted_or_failed_with_its_reason(self, demo):
        outbound = demo[0]["outbound"]
        assert outbound["queued"] >= 200
        assert outbound["queued"] == outbound["accepted"] + outbound["failed"]
        assert outbound["uncertain"] == 0
        assert outbound["read"] <= outbound["delivered"] <= outbound["accepted"]

    def test_both_sides_count_the_same_conversations(self, demo):
        conversations = demo[0]["conversations"]
        assert conversations["metered"] == conversations["sandbox"] > 0
        assert conversations["differences"] == []
        assert {"SERVICE", "UTILITY"} <= set(conversations["by_category"])

    def test_the_drafts_equal_the_rate_card_applied_by_hand(self, demo):
        invoices = demo[0]["invoices"]
        assert len(invoices) == 4
        billed: dict[str, int] = {}
        for invoice in invoices:
            net = PLATFORM_FEE_CENTS
            for line in invoice["lines"]:
                if line["category"]:
                    net += cents(PRICES[line["category"]] * line["quantity"])
                    billed[line["category"]] = billed.get(line["category"], 0) + line["quantity"]
            vat = cents(Decimal(net) * VAT / 100)
            assert (invoice["net_cents"], invoice["vat_cents"], invoice["total_cents"]) == (net, vat, net + vat)
            assert (invoice["status"], invoice["number"]) == ("DRAFT", None)
        assert billed == demo[0]["conversations"]["by_category"]

    def test_it_prints_progress_and_addresses_not_a_wall_of_log(self, demo):
        printed = demo[1].splitlines()
        assert len(printed) < 70
        assert any("http://console.localhost:" in line for line in printed)
