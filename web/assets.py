"""The files of the pages: style, scripts and fonts, served from memory under names that carry their hash.

Nothing is collected or built beforehand: `{% static %}` finds a file where it lies (web/static, or a package that
`npm ci` installed), and the web process serves the same bytes, for ever, because another content has another name.
The one style sheet is many: the components' own, the theme, and ours, one after the other.
"""

import gzip
import hashlib
import mimetypes
import posixpath
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

STYLE = "web/style.css"
STYLE_PARTS = (
    "lib/@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css",
    *(
        f"lib/@nl-design-system-candidate/{name}-css/dist/{name}.css"
        for name in ("button", "data-badge", "heading", "link", "paragraph", "skip-link")
    ),
    *(
        f"lib/@utrecht/{name}-css/dist/index.css"
        for name in ("alert", "data-list", "form-field", "form-label", "select", "table", "textarea", "textbox")
    ),
    "web/theme.css",
    "web/house.css",
)
# What else of the packages is served; all other files under node_modules stay there.
FROM_PACKAGES = (
    "lib/htmx.org/dist/htmx.min.js",
    *(
        f"lib/@fontsource/noto-sans/files/noto-sans-{script}-{weight}-normal.woff2"
        for script in ("latin", "latin-ext")
        for weight in (400, 700)
    ),
)
HASH_LETTERS = 16
FOR_EVER = b"public, max-age=31536000, immutable"
COMPRESSED = {".css", ".js", ".json", ".svg"}

_REFERENCE = re.compile(r"url\(\s*[\"']?(?!data:|https?:|/|#)([^\"')]+)[\"']?\s*\)")
_SOURCE_MAP = re.compile(r"/[/*]# sourceMappingURL=\S+( \*/)?")


class AssetMissing(Exception):
    """A file that a page needs is not there; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to be served."""

    content: bytes
    compressed: bytes | None
    media_type: str
    digest: str


class AssetStorage(StaticFilesStorage):
    """Gives `{% static %}` the address of an asset."""

    def url(self, name: str | None) -> str:
        """Return the address, with the hash of the content in it.  Raises AssetMissing."""
        return address(name or "")


def address(name: str) -> str:
    """Return where an asset is served.  Raises AssetMissing."""
    stem, suffix = posixpath.splitext(name)
    return f"{settings.STATIC_URL}{stem}.{load(name).digest}{suffix}"


@cache
def load(name: str) -> Asset:
    """Return an asset, read once a process.  Raises AssetMissing."""
    content = b"\n".join(map(_read, STYLE_PARTS)) if name == STYLE else _read(name)
    suffix = posixpath.splitext(name)[1]
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0) if suffix in COMPRESSED else None,
        media_type={".js": "text/javascript", ".woff2": "font/woff2"}.get(suffix)
        or mimetypes.guess_type(name)[0]
        or "application/octet-stream",
        digest=hashlib.sha256(content).hexdigest()[:HASH_LETTERS],
    )


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request below STATIC_URL: the file with exactly this hash, or 404."""
    asset = _find(str(scope["path"])) if scope["method"] in {"GET", "HEAD"} else None
    headers = [(b"x-content-type-options", b"nosniff"), (b"vary", b"accept-encoding")]
    body = b""
    if asset is not None:
        body = asset.content
        text = asset.media_type.startswith("text/") or asset.media_type.endswith(("json", "xml"))
        headers += [
            (b"content-type", f"{asset.media_type}{'; charset=utf-8' if text else ''}".encode()),
            (b"cache-control", FOR_EVER),
        ]
        if asset.compressed is not None and b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b""):
            body = asset.compressed
            headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200 if asset else 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _find(path: str) -> Asset | None:
    stem, suffix = posixpath.splitext(path.removeprefix(settings.STATIC_URL))
    stem, _, digest = stem.rpartition(".")
    name = stem + suffix
    if len(digest) != HASH_LETTERS or (name.startswith("lib/") and name not in FROM_PACKAGES):
        return None
    try:
        asset = load(name)
    except AssetMissing:
        return None
    return asset if asset.digest == digest else None


def _read(name: str) -> bytes:
    found = finders.find(name) if posixpath.normpath(name) == name and not name.startswith(("/", ".")) else None
    if not isinstance(found, str):
        hint = ": run `npm ci`" if name.startswith("lib/") else ""
        raise AssetMissing(f"{name} is not there{hint}")
    content = Path(found).read_bytes()
    if not name.endswith(".css"):
        return content
    folder = posixpath.dirname(name)
    text = _SOURCE_MAP.sub("", content.decode())
    return _REFERENCE.sub(
        lambda match: f'url("{address(posixpath.normpath(posixpath.join(folder, match[1])))}")', text
    ).encode()
