"""What an operator of the BSP may see of a payload: its keys, and of each value the kind and size, never its words."""

from collections.abc import Iterator

MOST_LINES = 200
DEEPEST = 12
# Where Meta's own vocabulary stands, and no citizen's word can.
SHOWN = frozenset({"field", "element.type", "element.status", "element.event", "element.interactive.type"})


def structure(*, payload: object) -> list[tuple[str, str]]:
    """Return how a payload is built: (path, what stands there), such as ("element.text.body", "text of 34 characters").

    Of values only Meta's own words for what a part is are shown, and keys only where they are plain words.
    """
    lines: list[tuple[str, str]] = []
    for line in _lines("", payload, 0):
        if len(lines) == MOST_LINES:
            lines.append(("…", "more"))
            break
        lines.append(line)
    return lines


def _lines(path: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value and depth < DEEPEST:
        for key, item in value.items():
            yield from _lines(f"{path}.{_key(key)}".lstrip("."), item, depth + 1)
    elif isinstance(value, list) and value and depth < DEEPEST:
        for place, item in enumerate(value):
            yield from _lines(f"{path}[{place}]", item, depth + 1)
    else:
        yield path, _masked(path, value)


def _masked(path: str, value: object) -> str:
    if isinstance(value, str):
        return value if path in SHOWN and _is_a_word(value) else f"text of {len(value)} characters"
    if isinstance(value, dict):
        return f"object of {len(value)}"
    if isinstance(value, list):
        return f"list of {len(value)}"
    return {bool: "true or false", type(None): "null"}.get(type(value), "number")


def _key(key: str) -> str:
    return key if _is_a_word(key) else f"(key of {len(key)} characters)"


def _is_a_word(text: str) -> bool:
    """Return whether a text is of the form of Meta's own words: no spaces, no accents, no leading digit, short."""
    return len(text) <= 40 and text.isascii() and text.replace("_", "a").isalnum() and not text[:1].isdigit()
