"""Break-glass in a real browser: asked for on the console, handed over to another host, seen there as it happens."""

import contextlib
import re

import pytest
from playwright.sync_api import Error, expect

from tests.flows.live import eventually
from tests.web.stage import WIDE, violations_in_every_size

REASON = "Melding 4711: een sjabloon blijft hangen"
# As if it had been opened so long ago: its time is over then, with nothing else done about it.
OVER = """
    UPDATE public.tenants_breakglass SET opened_at = opened_at - interval '31 minutes',
        ends_at = ends_at - interval '31 minutes' WHERE state = 'OPEN' RETURNING id
"""


@pytest.fixture
def browsers(opened):
    """Return what opens a browser of somebody's own; what the policy of the pages forbids fails the test."""
    made, complaints = [], []

    def new():
        context = opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, reduced_motion="reduce")
        context.set_default_timeout(20_000)
        context.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        made.append(context)
        return context

    yield new
    for context in made:
        context.close()
    assert complaints == []


def ask(played, page) -> None:
    """Ask to enter Utrecht for half an hour."""
    page.goto(played.url("support", "/municipalities/utrecht/"))
    page.get_by_role("link", name="Werkomgeving ingaan").click()
    page.get_by_label("Reden").fill(REASON)
    page.get_by_label("Gesprekken met inwoners").check()
    page.get_by_label("Hoe lang").select_option("30")
    page.get_by_role("button", name=re.compile("Verder|Goedkeuring vragen")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Toegang tot werkomgevingen")


def go_in(page, *, looking: bool = False) -> None:
    """Be handed over to the municipality's host; looking: have axe-core look at the page that hands over."""
    page.get_by_role("button", name=re.compile("Naar binnen")).first.click()
    page.wait_for_url(re.compile("/hand-over/$"))
    if looking:
        assert violations_in_every_size(page) == []
    page.get_by_role("button", name="Naar binnen gaan").click()
    page.wait_for_url(re.compile(r"//utrecht\.localhost:\d+/inbox/"))
    assert "token" not in page.url


def test_the_municipality_sees_it_at_once_ends_it_and_finds_all_of_it_afterwards(browsers, played):
    agent = played.sign_in(browsers(), "agent")
    employee = played.sign_in(browsers(), "support")
    ask(played, employee)
    go_in(employee, looking=True)
    expect(employee.get_by_text("als medewerker van de BSP, tot")).to_be_visible()
    expect(agent.get_by_text("Sanne Support van de BSP is in deze werkomgeving, tot")).to_be_visible()  # by itself
    expect(agent.get_by_text(REASON)).to_be_visible()
    employee.get_by_role("link", name="Alle open").click()
    employee.get_by_role("link", name="Fatima El Idrissi").click()
    expect(employee.get_by_text("U mag dit gesprek lezen, niet beantwoorden.")).to_be_visible()
    admin = played.sign_in(browsers(), "admin")
    admin.get_by_role("link", name="Toegang BSP").click()
    admin.get_by_role("button", name="Deze toegang nu beëindigen").click()
    expect(admin.get_by_text("beëindigd door Bea Beheer").first).to_be_visible()
    with contextlib.suppress(Error):  # the page does so by itself, perhaps at the same moment
        employee.reload()
    expect(employee.get_by_role("heading", level=1)).to_have_text("Inloggen")
    expect(agent.get_by_text("Sanne Support van de BSP is in deze werkomgeving, tot")).to_have_count(0)
    officer = played.sign_in(browsers(), "privacy")
    officer.get_by_role("link", name="Toegang BSP").click()
    expect(officer.get_by_text(REASON).first).to_be_visible()
    officer.get_by_role("link", name="Alles in het logboek").first.click()
    expect(officer.get_by_role("cell", name="Gesprek geopend").first).to_be_visible()


def test_it_waits_for_a_yes_where_the_municipality_wants_that_and_ends_with_its_time(browsers, played):
    admin = played.sign_in(browsers(), "admin")
    admin.goto(played.url("admin", "/entries/"))
    admin.get_by_label("Diegene wacht tot een van uw beheerders het goedkeurt").check()
    admin.get_by_role("button", name="Opslaan").click()
    employee = played.sign_in(browsers(), "support")
    ask(played, employee)
    expect(employee.get_by_text("Wacht op de gemeente")).to_be_visible()
    expect(employee.get_by_role("button", name=re.compile("Naar binnen"))).to_have_count(0)
    admin.goto(played.url("admin", "/numbers/"))
    admin.get_by_role("link", name="Goedkeuren of weigeren").click()
    admin.get_by_role("button", name="Goedkeuren").click()
    employee.goto(played.url("support", "/entries/"))
    go_in(employee)
    assert len(played.live.ask(OVER)) == 1
    employee.reload()
    expect(employee.get_by_role("heading", level=1)).to_have_text("Inloggen")
    eventually(
        lambda: played.live.ask("SELECT 1 FROM public.tenants_breakglass WHERE ended_by = 'time'") != [], seconds=30
    )
    mails = played.live.ask("SELECT count(*) FROM public.tenants_breakglass WHERE opened_mailed_at IS NOT NULL")
    assert mails[0][0] == 2
