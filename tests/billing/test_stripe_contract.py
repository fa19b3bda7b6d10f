"""What we rely on at Stripe, asked of the sandbox; with STRIPE_TEST_KEY of Stripe's own test mode too, against drift.

STRIPE_TEST_KEY=sk_test_… python -m pytest tests/billing/test_stripe_contract.py
"""

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from typing import get_type_hints
from uuid import uuid4

import pytest
import requests
from django.utils import timezone
from stripe import params as stripe_params
from stripe_account import KEY, stripe_account
from test_documents import line, paper

from billing.collecting import gateway
from config.local.folders import ROOT
from sandbox.stripe_room import parameters
from tests.stripe_key import HOST, Outside, doors, key_of_test_mode


@pytest.fixture(params=doors(environ=os.environ))
def stripe_at(request, settings):
    """Point the gateway at the sandbox, or at Stripe."""
    if request.param == "stripe":
        point_at_stripe(settings, key_of_test_mode(environ=os.environ))
        yield "stripe"
        return
    with stripe_account() as account:
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = KEY, account.api
        yield "sandbox"


def point_at_stripe(settings, key: str) -> None:
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = key, None


def test_an_invoice_is_made_filled_compared_finalised_paid_and_credited(stripe_at):
    municipality_id, invoice_id, began = uuid4(), uuid4(), timezone.now()
    today = began.date()
    shape = replace(
        paper(line(1, 11, "0.0625", 69), line(2, -1, "0.19", -19), line(3, 1, "150.00", 15000)),
        number=f"F-{invoice_id.hex[:12]}",
        issue_date=today,
        due_date=today + timedelta(days=30),
    )
    said = {"municipality_id": municipality_id, "name": "Contract", "email": "c@example.com"}
    customer = gateway.create_customer(**said, key=f"c{municipality_id}")
    # The same key answers the same, and with other parameters is refused.
    assert gateway.create_customer(**said, key=f"c{municipality_id}") == customer
    with pytest.raises(gateway.Failed):
        gateway.create_customer(**said | {"name": "Other"}, key=f"c{municipality_id}")
    assert gateway.find_customer(municipality_id=municipality_id, since=began) == customer
    made = {
        gateway.create_invoice(paper=shape, invoice_id=invoice_id, customer=customer, key=f"i{invoice_id}")
        for _ in range(2)
    }
    (stripe_id,) = made
    assert gateway.find_invoice(customer=customer, invoice_id=invoice_id) == stripe_id
    assert gateway.find_invoice(customer=customer, invoice_id=uuid4()) is None
    # A number is given once.
    with pytest.raises(gateway.Refused):
        gateway.create_invoice(paper=shape, invoice_id=uuid4(), customer=customer, key=f"o{invoice_id}")
    for _ in range(2):
        gateway.add_lines(stripe_id=stripe_id, paper=shape, key=f"l{invoice_id}")
    draft = gateway.read_invoice(stripe_id=stripe_id)
    assert (draft.status, draft.number, draft.lines) == ("draft", shape.number, 3)
    totals = (shape.net_cents, shape.vat_cents, shape.total_cents)
    assert (draft.subtotal_cents, draft.tax_cents, draft.total_cents) == totals
    gateway.finalize(stripe_id=stripe_id, key=f"f{invoice_id}")
    with pytest.raises(gateway.Refused):
        gateway.finalize(stripe_id=stripe_id, key=f"g{invoice_id}")
    opened = gateway.read_invoice(stripe_id=stripe_id)
    assert (opened.status, opened.number, opened.total_cents) == ("open", shape.number, shape.total_cents)
    gateway.send(stripe_id=stripe_id, key=f"s{invoice_id}")
    note_id = uuid4()
    note = replace(paper(line(1, 1, "10.00", 1000)), number="C-1", is_credit=True, reason="Storing")
    credited = {"stripe_invoice": stripe_id, "note_id": note_id}
    found = gateway.create_credit_note(paper=note, **credited, is_paid=False, key=f"n{note_id}")
    assert gateway.find_credit_note(**credited) == found
    gateway.close_out_of_band(stripe_id=stripe_id, key=f"p{invoice_id}")
    assert gateway.read_invoice(stripe_id=stripe_id).status == "paid"
    assert gateway.create_credit_note(
        paper=note, stripe_invoice=stripe_id, note_id=uuid4(), is_paid=True, key=f"m{note_id}"
    )


@pytest.mark.parametrize(
    ("known", "typed"),
    [
        (parameters.CUSTOMER, stripe_params.CustomerCreateParams),
        (parameters.CUSTOMER_LIST, stripe_params.CustomerListParams),
        (parameters.INVOICE, stripe_params.InvoiceCreateParams),
        (parameters.INVOICE_LIST, stripe_params.InvoiceListParams),
        (parameters.LINES, stripe_params.InvoiceAddLinesParams),
        (parameters.LINE, stripe_params.InvoiceAddLinesParamsLine),
        (parameters.TAX_AMOUNT, stripe_params.InvoiceAddLinesParamsLineTaxAmount),
        (parameters.FINALIZE, stripe_params.InvoiceFinalizeInvoiceParams),
        (parameters.PAY, stripe_params.InvoicePayParams),
        (parameters.CREDIT_NOTE, stripe_params.CreditNoteCreateParams),
    ],
)
def test_the_sandbox_takes_no_parameter_that_stripe_does_not_have(known, typed):
    names = set(getattr(typed, "__annotations__", None) or get_type_hints(typed))
    assert known <= names, known - names


def test_the_sandbox_is_as_strict_as_stripe(settings):
    with stripe_account() as account:
        given = {"Authorization": f"Bearer {KEY}", "Stripe-Version": gateway.API_VERSION}

        def ask(path: str, data: dict[str, str] | None = None, **headers: str) -> tuple[int, str]:
            answer = requests.post(f"{account.api}/v1/{path}", data=data, headers=given | headers, timeout=10)
            return answer.status_code, answer.json()["error"].get("code", answer.json()["error"]["type"])

        key = {"Idempotency-Key": "one"}
        assert ask("customers", {"naam": "x"}, **key) == (400, "parameter_unknown")
        assert ask("customers", {"name": "x"}, **key) == (400, "idempotency_error")
        assert ask("customers", {"name": "x"}) == (400, "invalid_request_error")
        assert ask("customers", {"name": "x"}, **key | {"Authorization": "Bearer sk_live_x"})[0] == 401
        assert ask("invoices", {"customer": "cus_9"}, **{"Idempotency-Key": "two"}) == (404, "resource_missing")
        assert ask("refunds", {}, **{"Idempotency-Key": "three"})[0] == 404


class TestWithAKey:
    def test_stripe_is_asked_with_a_key_of_test_mode_and_refused_with_any_other(self):
        assert doors(environ={}) == doors(environ={"STRIPE_TEST_KEY": ""}) == ["sandbox"]
        assert doors(environ={"STRIPE_TEST_KEY": "sk_test_4e"}) == ["sandbox", "stripe"]
        for other in ("sk_live_4e", "rk_test_4e", "pk_test_4e", " sk_test_4e", "SK_TEST_4e", "sk_test_"):
            with pytest.raises(pytest.UsageError, match="test mode alone") as refused:
                doors(environ={"STRIPE_TEST_KEY": other})
            assert "4e" not in str(refused.value)
        # Before anything runs, whichever tests were asked for: where every run begins.
        run = subprocess.run(
            [sys.executable, "-c", "import tests.conftest"],
            cwd=ROOT,
            env=os.environ | {"STRIPE_TEST_KEY": "sk_live_4e"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (run.returncode, "UsageError: STRIPE_TEST_KEY is refused" in run.stderr) == (1, True), run.stderr

    def test_only_stripes_own_addresses_may_then_be_reached(self):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("198.51.100.7", 443))]
        for key, host, reached in (("sk_test_4e", HOST, True), ("sk_test_4e", "example.org", False), ("", HOST, False)):
            outside = Outside(environ={"STRIPE_TEST_KEY": key})
            outside.note(host=host, found=found)
            assert outside.may_reach(("198.51.100.7", 443)) is reached
            assert not outside.may_reach(("198.51.100.7", 80))
            assert not outside.may_reach(("198.51.100.8", 443))

    def test_what_is_asked_with_a_key_goes_to_api_stripe_com(self, settings, monkeypatch):
        # The name leads to a listener of ours, to which the adapter says by TLS whom it means; it is not believed.
        heard = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(20)

            def listen() -> None:
                caller, _ = listener.accept()
                with caller:
                    heard.append(caller.recv(4096))

            ear = threading.Thread(target=listen, daemon=True)
            ear.start()
            resolve, asked = socket.getaddrinfo, []

            def here(host, port, *args, **kwargs):
                asked.append((host, port))
                return resolve("127.0.0.1", listener.getsockname()[1], *args, **kwargs)

            monkeypatch.setattr(socket, "getaddrinfo", here)
            point_at_stripe(settings, "sk_test_4e")
            with pytest.raises(gateway.Unknown):
                gateway.read_invoice(stripe_id="in_1")
            ear.join(20)
        assert set(asked) == {(HOST, 443)}
        assert HOST.encode() in heard[0]
