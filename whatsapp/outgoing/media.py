"""Images, videos, documents, sounds and stickers, by Meta's id of an upload or by a link that Meta fetches."""

from dataclasses import dataclass
from typing import Any

from whatsapp import limits
from whatsapp.outgoing.parts import InvalidContent, lines, sized, web_address

# The kinds of media that may have a caption.
CAPTIONED = frozenset({"document", "image", "video"})


@dataclass(frozen=True, slots=True)
class MediaMessage:
    """An image, video, document, audio or sticker: one that was uploaded (media_id) or one on the web (link)."""

    kind: str
    media_id: str | None = None
    link: str | None = None
    caption: str | None = None
    filename: str | None = None
    voice: bool = False

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return self.kind

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's media object.  Raises LimitExceeded, InvalidContent."""
        self._check()
        medium: dict[str, Any] = source(media_id=self.media_id, link=self.link)
        if self.caption:
            medium["caption"] = self.caption
        if self.filename:
            medium["filename"] = self.filename
        if self.voice:
            medium["voice"] = True
        return medium

    def readable(self) -> str:
        """Return the caption and the file's name."""
        return lines(self.caption, self.filename)

    def _check(self) -> None:
        if self.kind not in limits.MEDIA_BYTES:
            raise InvalidContent("media_kind_unknown")
        if self.caption and self.kind not in CAPTIONED:
            raise InvalidContent("media_caption_not_allowed")
        if self.filename and self.kind != "document":
            raise InvalidContent("media_filename_not_allowed")
        if self.voice and self.kind != "audio":
            raise InvalidContent("media_voice_not_allowed")
        sized(self.caption or "", "media_caption_too_long", limits.CAPTION_CHARACTERS)
        sized(self.filename or "", "media_filename_too_long", limits.FILENAME_CHARACTERS)


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A medium as the header of another message: image, video or document."""

    kind: str
    media_id: str | None = None
    link: str | None = None
    filename: str | None = None

    def as_meta(self) -> dict[str, Any]:
        """Return {"type": "image", "image": {…}} and so on.  Raises LimitExceeded, InvalidContent."""
        if self.kind not in CAPTIONED:
            raise InvalidContent("header_kind_unknown")
        if self.filename and self.kind != "document":
            raise InvalidContent("media_filename_not_allowed")
        sized(self.filename or "", "media_filename_too_long", limits.FILENAME_CHARACTERS)
        medium = source(media_id=self.media_id, link=self.link)
        if self.filename:
            medium["filename"] = self.filename
        return {"type": self.kind, self.kind: medium}

    def readable(self) -> str:
        """Return the file's name, if it has one."""
        return lines(self.filename)


def source(*, media_id: str | None, link: str | None) -> dict[str, Any]:
    """Return where Meta takes a medium from: {"id": …} or {"link": …}.  Raises LimitExceeded, InvalidContent."""
    if bool(media_id) == bool(link):
        raise InvalidContent("media_needs_id_or_link")
    if media_id:
        return {"id": media_id}
    assert link is not None
    web_address(link, "media_link_not_https", too_long="media_link_too_long")
    return {"link": link}
