"""What somebody who was invited does in a browser, from the mail to their first page."""

import re

from playwright.sync_api import Page, expect

from config.local.sign_ins import code
from tests.flows.live import eventually

WORDS = "vier-losse-woorden-hier"
OWED = "**/account/second-step/"


def link_in_mail(page: Page, *, mailbox: str, email: str) -> str:
    """Return the link of the invitation that a worker mails to somebody; mailbox: the address of the page of mail."""
    found: list[str] = []

    def is_sent() -> bool:
        page.goto(mailbox)
        mail = page.locator("section", has_text=email)
        if mail.count():
            found.append(re.search(r"http://\S+/invitation/\S+/", mail.first.inner_text())[0])
        return bool(found)

    eventually(is_sent, seconds=30)
    return found[0]


def accept(page: Page, link: str, *, name: str = "Nel Nieuw") -> None:
    """Open an invitation, and choose a name and a password."""
    page.goto(link)
    expect(page).to_have_url(re.compile(r"/invitation/$"))
    page.get_by_label("Uw naam").fill(name)
    page.get_by_label("Nieuw wachtwoord", exact=True).fill(WORDS)
    page.get_by_label("Nieuw wachtwoord, nog een keer").fill(WORDS)
    page.get_by_role("button", name="Verder").click()


def set_up_app(page: Page) -> list[str]:
    """Set up an app with codes, which is owed; return the recovery codes."""
    page.get_by_role("link", name="App instellen").click()
    for _ in range(2):  # half a minute may be over between making a code and giving it
        secret = page.locator("#totp-secret").inner_text()
        page.get_by_label("De code die de app nu toont").fill(code(secret=secret))
        with page.expect_navigation():
            page.get_by_role("button", name="Instellen").click()
        if page.locator("#totp-secret").count() == 0:
            break
    return keep_codes(page)


def keep_codes(page: Page) -> list[str]:
    """Return the recovery codes that are shown once, and go on."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Herstelcodes")
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="Ik heb ze bewaard").click()
    return codes
