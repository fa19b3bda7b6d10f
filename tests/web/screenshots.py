"""Pictures of every page for the documentation: `make screenshots`, into docs/screenshots.

Makes a platform of its own for it. Each page in daylight on a wide screen; a few by night, and on a phone. The pictures
that were there are replaced by the new ones when all of these are taken, so that none is of a page that is gone.
`make screenshots ARGS="users user"` takes those of the named pages alone.
"""

import argparse
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from playwright.sync_api import Browser

from config.local.failure import SetupError
from config.local.folders import ROOT, VAR
from config.local.instance import AlreadyRunning
from tests.web.pages import PAGES
from tests.web.stage import PHONE, WIDE, Stage, browser, stage

FOLDER = ROOT / "docs" / "screenshots"
BY_NIGHT = frozenset({"inbox-waiting", "thread-open", "municipalities", "invoice"})
ON_A_PHONE = BY_NIGHT | {"send-template", "number", "overview", "account"}
# By what a picture's name ends in: of which pages (empty: of all), on which screen, and in which scheme.
KINDS: dict[str, tuple[Collection[str], tuple[int, int], str]] = {
    "": ((), WIDE, "light"),
    "-night": (BY_NIGHT, WIDE, "dark"),
    "-phone": (ON_A_PHONE, PHONE, "light"),
}


def main() -> int:
    """Take the pictures that are asked for, or all of them and no others; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.web.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PAGE", help="a page of tests/web/pages.py; none: all of them")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go; docs/screenshots otherwise")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - {page.name for page in PAGES}):
        parser.error(f"there is no page {', '.join(unknown)}: tests/web/pages.py names them")
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)  # the platform has its own servers
    try:
        with stage(VAR / "screenshots") as played, browser() as opened:
            pictures = dict(take(played, opened, wanted=asked.names))
    except (AlreadyRunning, SetupError) as refusal:
        print(f"screenshots: {refusal}", file=sys.stderr)  # noqa: T201
        return 1
    asked.folder.mkdir(parents=True, exist_ok=True)
    if not asked.names and asked.folder == FOLDER:  # in another there may be pictures of somebody's own
        for old in FOLDER.glob("*.png"):
            old.unlink()
    for name, picture in pictures.items():
        (asked.folder / f"{name}.png").write_bytes(picture)
    return 0


def take(played: Stage, opened: Browser, *, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Return the pictures of the wanted pages by name; of all where none is named."""
    for suffix, (only, size, scheme) in KINDS.items():
        signed_in = {}
        for to in played.pages():
            if (wanted and to.name not in wanted) or (only and to.name not in only):
                continue
            if to.word not in signed_in:
                context = opened.new_context(
                    viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
                )
                signed_in[to.word] = played.sign_in(context, to.word)
            page = signed_in[to.word]
            played.open(page, to)
            yield f"{to.name}{suffix}", page.screenshot(full_page=True)
        for page in signed_in.values():
            page.context.close()


if __name__ == "__main__":
    raise SystemExit(main())
