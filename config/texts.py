"""The Dutch texts: `python -m config.texts` gathers what the pages say and compiles the translations.

English stands in the code, Dutch in config/locale/nl/LC_MESSAGES/django.po, and its compiled twin beside it is
committed, so that no machine needs gettext. A text without a translation fails a test (tests/web/test_texts.py).
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "config" / "locale" / "nl" / "LC_MESSAGES"
SOURCE, COMPILED = FOLDER / "django.po", FOLDER / "django.mo"
ROOMS = ("web", "accounts")

_TRANSLATE = re.compile(r"""\{%\s*translate\s+(?:"([^"]+)"|'([^']+)')""")
_BLOCK = re.compile(r"\{%\s*blocktranslate\b[^%]*%\}(.*?)\{%\s*endblocktranslate\s*%\}", re.DOTALL)
_VALUE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext_lazy"}


@dataclass(frozen=True, slots=True)
class Text:
    """One text of the pages, as gettext knows it."""

    singular: str
    plural: str | None
    context: str | None
    place: tuple[str, int]


def texts() -> Iterator[Text]:
    """Return every text of the pages, in templates and in code."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.html")):
            yield from _of_template(path)
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from _of_module(path)


def gather() -> Catalog:
    """Return the catalog with every text of the pages, with the translations that there are."""
    kept = read_po(SOURCE.open("rb"), locale="nl") if SOURCE.exists() else Catalog(locale="nl")
    catalog = Catalog(locale="nl", project="whatsapp-bsp-platform", charset="utf-8", fuzzy=False)
    catalog.header_comment = "# The Dutch texts of the pages. Gathered by `python -m config.texts`."
    catalog.creation_date = catalog.revision_date = kept.creation_date
    for text in texts():
        key = (text.singular, text.plural) if text.plural else text.singular
        known = kept.get(text.singular, text.context)
        catalog.add(key, string=known.string if known else None, context=text.context, locations=[(text.place[0], 0)])
    return catalog


def compiled(catalog: Catalog) -> bytes:
    """Return a catalog as the machine reads it."""
    written = BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def main() -> int:
    """Bring both files up to date; return 1 when a text has no translation."""
    catalog = gather()
    with SOURCE.open("wb") as file:
        write_po(file, catalog, sort_by_file=True, width=120, include_lineno=False, omit_header=False)
    COMPILED.write_bytes(compiled(catalog))
    missing = [message.id for message in catalog if message.id and not _is_translated(message.string)]
    for text in missing:
        sys.stderr.write(f"not translated: {text}\n")
    return 1 if missing else 0


def _is_translated(string: str | Sequence[str] | None) -> bool:
    return bool(string) and all(string or ())


def _of_template(path: Path) -> Iterator[Text]:
    source, name = path.read_text(), str(path.relative_to(ROOT))
    for match in _TRANSLATE.finditer(source):
        yield Text(match[1] or match[2], None, None, (name, 0))
    for match in _BLOCK.finditer(source):
        yield Text(_VALUE.sub(r"%(\1)s", match[1]), None, None, (name, 0))


def _of_module(path: Path) -> Iterator[Text]:
    name = str(path.relative_to(ROOT))
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS):
            continue
        words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if node.func.id == "ngettext":
            yield Text(words[0], words[1], None, (name, 0))
        elif node.func.id == "pgettext_lazy":
            yield Text(words[1], None, words[0], (name, 0))
        elif words:
            yield Text(words[0], None, None, (name, 0))


if __name__ == "__main__":
    sys.exit(main())
