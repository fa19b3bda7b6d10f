"""Four people on the road to live, each in a browser of their own, and what all of them do on its pages."""

from datetime import datetime, timedelta

from playwright.sync_api import Page, expect

from tenants.onboarding.models import Part
from tests.tenants.road import ANSWERS
from tests.web.refusals import WRONG
from tests.web.stage import AMSTERDAM, WIDE, Stage, violations_in_every_size

META_NUMBER = "666000000193"
ADMIN = "beheer@zwolle.example"  # as the application says
SLOW = 20_000  # milliseconds: a tenant is made in one step, and a worker tells what Meta told


class Road:
    """Four people on their way, each in a browser of their own."""

    def __init__(self, stage: Stage, opened) -> None:
        """Sign the two of the BSP in; the others come over links."""
        self.stage, self.complaints = stage, []
        today = datetime.now(AMSTERDAM).date()
        self.today, self.tomorrow = today.isoformat(), (today + timedelta(days=1)).isoformat()
        size = {"width": WIDE[0], "height": WIDE[1]}
        self.contexts = [opened.new_context(viewport=size, reduced_motion="reduce") for _ in range(4)]
        for each in self.contexts:
            each.set_default_timeout(SLOW)
            each.on("weberror", lambda error: self.complaints.append(str(error.error)))
            each.on("console", lambda said: self.complaints.append(said.text) if "Content Sec" in said.text else None)
        self.ours = stage.sign_in(self.contexts[0], "onboarding")
        self.approver = stage.sign_in(self.contexts[1], "operator")
        self.theirs, self.admin = self.contexts[2].new_page(), self.contexts[3].new_page()
        self.address = ""  # of the onboarding, on the console

    def at(self, path: str) -> str:
        """Return an address at the municipality."""
        return f"http://zwolle.localhost:{self.stage.live.instance.web_port}{path}"


def look(page: Page) -> None:
    """Hold a page to WCAG, wide and on a phone, by day and by night."""
    assert violations_in_every_size(page) == [], page.url
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(words, timeout=SLOW)


def fill(page: Page, part: Part, **other: str) -> None:
    for name in {name for name, _answer, _said in WRONG.get(part, ())} - ANSWERS[part].keys():
        page.locator(f"#{name}").fill("")
    for name, value in {**ANSWERS[part], **other}.items():
        if value == "yes":
            page.locator(f"#{name}").check()
        elif name == "number_now":
            page.locator(f"input[name=number_now][value={value}]").check()
        else:
            page.locator(f"#{name}").fill(value)


def press(page: Page, name: str, *, said: str = "") -> None:
    page.get_by_role("button", name=name, exact=True).click()
    if said:
        expect(page.get_by_text(said).first).to_be_visible(timeout=SLOW)
