"""WhatsApp's own marks in a text, as HTML: *bold*, _italic_, ~struck~, ```fixed```, `code`, lists and quotes.

Everything that is not one of these is escaped, and only the tags that stand here ever come out. A web address stays
text: what a citizen sends is not one click away from an agent.
Source: WhatsApp, how to format your messages (read 2026-11-22).
"""

import re
from collections.abc import Callable, Iterable
from itertools import groupby

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_FIXED = re.compile(r"```(?=\S|\n)(.+?)```", re.DOTALL)
# A mark opens before a letter and closes behind one, with no letter or digit outside: snake_case stays as it is.
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|(?<![^\W_])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![^\W_])"
    r"|(?<![^\W_])_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?![^\W_])"
    r"|(?<![^\W_])~(?P<s>[^\s~](?:[^~\n]*[^\s~])?)~(?![^\W_])"
)
_BULLET, _NUMBER, _QUOTE = re.compile(r"[-*•] +(?=\S)"), re.compile(r"\d{1,3}\. +(?=\S)"), re.compile(r"> ?(?=\S)")
_BLOCKS: tuple[tuple[str, re.Pattern[str]], ...] = (("ul", _BULLET), ("ol", _NUMBER), ("quote", _QUOTE))


def formatted(text: str) -> SafeString:
    """Return a text as HTML that is safe, whatever the text is."""
    parts = _FIXED.split(text)
    made = [
        f'<code class="fixed">{escape(part.strip(chr(10)))}</code>' if place % 2 else _lines(part)
        for place, part in enumerate(parts)
    ]
    return mark_safe("".join(made))  # noqa: S308 each part was escaped where it was made


def _lines(text: str) -> str:
    return "".join(_block(kind, lines) for kind, lines in groupby(text.split("\n"), key=_kind))


def _kind(line: str) -> str:
    return next((name for name, mark in _BLOCKS if mark.match(line)), "text")


def _block(kind: str, lines: Iterable[str]) -> str:
    inside = dict(_BLOCKS).get(kind)
    items = [_inline(inside.sub("", line, count=1) if inside else line) for line in lines]
    if kind == "quote":
        return f"<blockquote>{'<br>'.join(items)}</blockquote>"
    if kind == "text":
        return "<br>".join(items)
    return f"<{kind}>{''.join(f'<li>{item}</li>' for item in items)}</{kind}>"


def _inline(text: str) -> str:
    made, place = "", 0
    for match in _INLINE.finditer(text):
        made += escape(text[place : match.start()])
        kind = match.lastgroup or "s"
        inside: Callable[[str], str] = escape if kind == "code" else _inline
        made += f"<{kind}>{inside(match[kind])}</{kind}>"
        place = match.end()
    return made + escape(text[place:])
