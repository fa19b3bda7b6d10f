"""Pictures of each page for the documentation: `python -m tests.web.screenshots [FOLDER]`, into docs/screenshots.

Makes a platform of its own for it. Each page in daylight on a wide screen; a few by night, and on a phone.
"""

import os
import sys
from pathlib import Path

from playwright.sync_api import Browser

from config.local.folders import ROOT, VAR
from tests.web.stage import PHONE, WIDE, Stage, browser, stage

FOLDER = ROOT / "docs" / "screenshots"
ALSO_BY_NIGHT = {"inbox-waiting", "thread-open", "municipalities", "invoice"}
ALSO_ON_A_PHONE = {"inbox-waiting", "thread-open", "send-template", "municipalities", "invoice", "number"}


def main(*, folder: Path) -> None:
    """Take every picture."""
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)  # the platform has its own servers
    folder.mkdir(parents=True, exist_ok=True)
    with stage(VAR / "screenshots") as played, browser() as opened:
        _take(played, opened, folder, "", lambda name: True, WIDE, "light")
        _take(played, opened, folder, "-night", ALSO_BY_NIGHT.__contains__, WIDE, "dark")
        _take(played, opened, folder, "-phone", ALSO_ON_A_PHONE.__contains__, PHONE, "light")


def _take(played: Stage, opened: Browser, folder: Path, suffix: str, wanted, size, scheme) -> None:
    signed_in = {}
    for name, word, path in played.pages():
        if not wanted(name):
            continue
        if word not in signed_in:
            context = opened.new_context(
                viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
            )
            if not suffix and not signed_in:
                page = context.new_page()
                page.goto(played.url(word))
                page.screenshot(path=folder / "sign-in.png")
            signed_in[word] = played.sign_in(context, word)
        page = signed_in[word]
        played.go(page, name, word, path)
        page.screenshot(path=folder / f"{name}{suffix}.png", full_page=True)


if __name__ == "__main__":
    main(folder=Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
