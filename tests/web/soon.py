"""How soon an open page shows what was done elsewhere, by the clock of its browser; the floor is two seconds.

A busy machine lets a page wait now and then, so what came late is done again: what the product makes late is so always.
"""

import time
from collections.abc import Callable, Sequence

from playwright.sync_api import Page, expect

MOST_MILLISECONDS = 2_000
TRIES = 3
# From when on an element shows a text, without asking for it: what changes on the page says so. "title" is one too.
WATCH = """
([where, says]) => {
  const said = new RegExp(says);
  const shows = () => [...document.querySelectorAll(where)].some(each => said.test(each.textContent));
  window.shownAt = new Promise(resolve => {
    if (shows()) return resolve(0);
    const watch = new MutationObserver(() => { if (shows()) { watch.disconnect(); resolve(Date.now()); } });
    watch.observe(document, {subtree: true, childList: true, characterData: true});
  });
}
"""


def shown_soon(
    pages: Sequence[tuple[Page, str]],
    says: Callable[[int], str],
    act: Callable[[int], float],
    *,
    undo: Callable[[], object] = lambda: None,
) -> None:
    """Do something until two seconds after it every page shows it; that fails when it came late each time.

    pages: each with the selector of what shows it. says: what it then says, a regular expression; act: does it, and
    returns when it began, in milliseconds; both are told which attempt this is. undo: what comes before another one.
    """
    took: list[float] = []
    for attempt in range(TRIES):
        for page, where in pages:
            expect(page.locator(where).first).to_be_attached()
            page.evaluate(WATCH, [where, says(attempt)])
        began = act(attempt)
        shown = [page.evaluate("window.shownAt") for page, _ in pages]
        assert all(shown), "it was there before"
        took.append(max(shown) - began)
        if took[-1] <= MOST_MILLISECONDS:
            return
        undo()
    raise AssertionError(f"it was shown after {took} milliseconds")


def now() -> float:
    """Return the moment, as browsers on this machine have it."""
    return time.time() * 1000


def pressed(page: Page, path: str, press: Callable[[], object]) -> float:
    """Press what sends a form, and return when the browser sent it."""
    with page.expect_response(lambda answer: answer.request.method == "POST" and path in answer.url) as answered:
        press()
    sent = float(answered.value.request.timing["startTime"])
    assert sent > 0, "the browser does not say when"
    return sent
