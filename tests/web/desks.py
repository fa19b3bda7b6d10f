"""The pages of an agent and of a supervisor of Utrecht, each in a browser of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

from tests.web.stage import WIDE, Stage


@contextmanager
def at_desks(opened: Browser, played: Stage) -> Iterator[list[Page]]:
    """Sign both in; the block's end closes their browsers."""
    contexts = [opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}) for _ in range(2)]
    for context in contexts:
        context.set_default_timeout(20_000)
    yield [played.sign_in(context, word) for context, word in zip(contexts, ("agent", "supervisor"), strict=True)]
    for context in contexts:
        context.close()


def open_conversation(page: Page, name: str) -> None:
    """Go to the open conversation with a citizen, by the inbox."""
    page.get_by_role("link", name="Inbox", exact=True).click()
    page.get_by_role("link", name="Alle open").click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
