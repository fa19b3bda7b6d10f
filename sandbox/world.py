"""What exists at the imitated Meta: businesses (WABAs), numbers, templates, media, and citizens by business.

State only, in memory; what happens to it is in `sending`, `inbound`, `statuses` and the Graph doors. A citizen belongs
to one business, because business-scoped user ids do.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.ids import Ids, derived_bsuid
from sandbox.limits import Bucket
from sandbox.switches import Switches

WINDOW_SECONDS = 86400.0
DEFAULT_THROUGHPUT = 80  # messages a second in and out, Meta's default


class Conflict(ValueError):
    """An id that is already someone else's."""


@dataclass(slots=True, eq=False)
class Citizen:
    """A person as one business knows them: by phone number, by business-scoped user id, or both."""

    key: int
    phone: str | None = None
    bsuid: str | None = None
    parent_bsuid: str | None = None
    name: str | None = None
    username: str | None = None
    behaviour: str | None = None
    # How long a phone that is off stays off (0: the usual time).
    off_seconds: float = 0.0
    # Sandbox time of the last message, by phone_number_id: the service window.
    wrote_at: dict[str, float] = field(default_factory=dict)
    # By phone_number_id: when the citizen came in through an entry point, and until when that is free.
    entered_at: dict[str, float] = field(default_factory=dict)
    entry_point_until: dict[str, float] = field(default_factory=dict)
    pair_debt: dict[str, float] = field(default_factory=dict)
    # The citizen this one turned out to be, after a link.
    same_as: "Citizen | None" = None

    @property
    def digits(self) -> str:
        """Tell the digits that Meta's wamids contain."""
        return self.phone or (self.bsuid or "").rpartition(".")[2]


@dataclass(slots=True, eq=False)
class Template:
    """A message template in one language."""

    id: str
    name: str
    language: str
    category: str
    status: str
    components: list[dict[str, Any]]
    parameter_format: str = "POSITIONAL"
    rejected_reason: str = "NONE"
    quality: str = "UNKNOWN"
    quality_at: float = 0.0
    previous_category: str | None = None
    correct_category: str | None = None
    ttl_seconds: int | None = None
    # What stopped it last (FIRST_PAUSE, SECOND_PAUSE, RATE_LIMITING_PAUSE, DISABLED), how often quality did, and when.
    paused_as: str | None = None
    pauses: int = 0
    paused_at: float = 0.0
    edited_at: list[float] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Business:
    """A WhatsApp Business Account with its token, numbers, templates and citizens."""

    waba_id: str
    name: str
    access_token: str
    webhook_url: str | None = None
    subscribed: bool = True
    # The customer's business portfolio, its messaging limit, and the line of credit that pays (None: none attached).
    portfolio_id: str = ""
    messaging_limit: str = "TIER_UNLIMITED"
    credit: str | None = "credit-of-its-own"
    settings: dict[str, Any] = field(default_factory=dict)
    templates: dict[tuple[str, str], Template] = field(default_factory=dict)
    # When a name's last approved template was deleted: it is not free again at once.
    deleted_names: dict[str, float] = field(default_factory=dict)
    numbers: dict[str, "Number"] = field(default_factory=dict)
    by_phone: dict[str, Citizen] = field(default_factory=dict)
    by_bsuid: dict[str, Citizen] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Number:
    """A WhatsApp number of a business."""

    id: str
    display_phone_number: str
    business: Business
    throughput: int
    bucket: Bucket
    verified_name: str = ""
    quality_rating: str = "GREEN"
    status: str = "CONNECTED"
    in_business_app: bool = False  # it lives in the Business app on somebody's phone as well
    webhook_url: str | None = None
    # Registration: the ownership code by SMS or voice, the PIN, and when it was (de)registered.
    code_verification_status: str = "VERIFIED"
    verification_code: str | None = None
    pin: str | None = None
    wrong_pins: int = 0
    registered_at: list[float] = field(default_factory=list)
    name_status: str = "APPROVED"
    new_name: str | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    picture: bytes = b""  # of the profile
    settings: dict[str, Any] = field(default_factory=dict)
    username: str | None = None
    blocked: set[str] = field(default_factory=set)
    # Delivered service messages that were free, by month (YYYY-MM).
    free_service_used: dict[str, int] = field(default_factory=dict)

    @property
    def digits(self) -> str:
        """Tell the number without plus, spaces and dashes, as webhooks carry it."""
        return "".join(filter(str.isdigit, self.display_phone_number))

    @property
    def override_url(self) -> str | None:
        """Tell where its messages and statuses go instead of to the app: the number's own URL before the business's."""
        return self.webhook_url or self.business.webhook_url


@dataclass(slots=True, eq=False)
class MediaFile:
    """A stored file, uploaded by the business or sent by a citizen."""

    id: str
    number: Number
    mime_type: str
    content: bytes
    sha256: str
    filename: str | None
    expires_at: float


@dataclass(slots=True, eq=False)
class Upload:
    """A file that is put up for a profile picture or a template's example; its handle is named once it is whole."""

    name: str
    length: int
    content: bytes = b""
    handle: str | None = None


@dataclass(slots=True)
class Config:
    """What the environment says (README.md)."""

    port: int = 8100
    app_id: str = "sandbox-app"
    app_secret: str = "sandbox-secret"  # noqa: S105 - a default for development, given in README.md
    verify_token: str = "sandbox-verify"  # noqa: S105 - the same
    system_token: str = "sandbox-system-token"  # noqa: S105 - the same
    webhook_url: str = "http://127.0.0.1:8000/webhooks/whatsapp"
    # The line of credit of whoever runs the platform, and their own business portfolio.
    credit_id: str = "700000000000001"
    portfolio_id: str = "800000000000001"


class World:
    """Everything the sandbox holds; a reset makes it empty again."""

    def __init__(self, *, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.public_url = f"http://127.0.0.1:{config.port}"
        self.requests_in_hand = 0
        self.clear()

    def clear(self) -> None:
        """Forget businesses, citizens, books, faults and switches."""
        self.switches = Switches()
        self.faults = Faults()
        self.books = Books()
        self.had_traffic = False
        self.ids = Ids(started_ns=time.time_ns())
        self.businesses: dict[str, Business] = {}
        self.numbers: dict[str, Number] = {}
        self.tokens: dict[str, Business] = {}
        self.media: dict[str, MediaFile] = {}
        self.media_urls: dict[str, tuple[str, float]] = {}
        # Codes of Embedded Signup, each with its business and the end of its life (real time, monotonic).
        self.signup_codes: dict[str, tuple[Business, float]] = {}
        # Files for profile pictures and templates' examples: sessions being filled, and handles.
        self.uploads: dict[str, Upload] = {}
        # Allocations of the credit line, and by portfolio whom they reached outside a window, and when.
        self.allocations: dict[str, Business] = {}
        self.reached: dict[str, dict[int, float]] = {}
        self._unannounced_links: dict[int, list[int]] = {}
        # By key.
        self.citizens: dict[int, Citizen] = {}

    def forget_books(self) -> None:
        """Begin new books, and keep all else (long runs)."""
        self.had_traffic = not self.untouched
        self.books = Books()

    @property
    def untouched(self) -> bool:
        """Tell whether there was no traffic since the start or the last reset."""
        return self.books.empty and not self.had_traffic

    def register(self, *, waba_id: str, name: str, access_token: str, webhook_url: str | None = None) -> Business:
        """Make the business, or bring the one with this id up to date; safe to repeat. Raises Conflict."""
        owner = self.tokens.get(access_token)
        if owner is not None and owner.waba_id != waba_id:
            raise Conflict("this access token belongs to another business")
        business = self.businesses.get(waba_id)
        if business is None:
            business = Business(waba_id=waba_id, name=name, access_token=access_token, portfolio_id=f"9{waba_id}")
            self.businesses[waba_id] = business
        self.tokens.pop(business.access_token, None)
        business.name, business.access_token, business.webhook_url = name, access_token, webhook_url
        self.tokens[access_token] = business
        return business

    def register_number(
        self, *, business: Business, number_id: str, display_phone_number: str, throughput: int = DEFAULT_THROUGHPUT
    ) -> Number:
        """Make the number, or bring it up to date. Raises Conflict: it is another business's."""
        number = self.numbers.get(number_id)
        if number is not None and number.business is not business:
            raise Conflict(f"number {number_id} belongs to another business")
        if number is None:
            number = make_number(
                business=business, number_id=number_id, display=display_phone_number, throughput=throughput
            )
            self.numbers[number_id] = business.numbers[number_id] = number
        number.display_phone_number = display_phone_number
        if number.throughput != throughput:
            number.throughput = throughput
            number.bucket = Bucket(per_second=throughput, now=time.monotonic())
        return number

    def citizen(self, *, business: Business, phone: str | None, bsuid: str | None, links: bool = False) -> Citizen:
        """Find the citizen by either id, or make one; with both ids given, `links` says that they are one person."""
        by_phone = business.by_phone.get(phone) if phone else None
        by_bsuid = business.by_bsuid.get(bsuid) if bsuid else None
        if by_phone is not None and by_bsuid is not None and by_phone is not by_bsuid:
            if not links:
                raise Conflict("these two ids belong to two citizens; link them first")
            return self._merge(business=business, kept=by_phone, other=by_bsuid)
        found = by_phone or by_bsuid
        if found is None:
            found = Citizen(key=len(self.citizens) + 1)
            self.citizens[found.key] = found
        if phone and found.phone is None:
            found.phone = phone
            business.by_phone[phone] = found
        if self.switches.bsuid_for_all and not bsuid and phone and found.bsuid is None:
            bsuid = derived_bsuid(waba_id=business.waba_id, phone=phone)
        if bsuid and found.bsuid is None:
            found.bsuid = bsuid
            business.by_bsuid[bsuid] = found
        return found

    def announce_links(self, *, citizen: Citizen, number: Number) -> None:
        """Note that the business has acknowledged a message that shows both ids of this citizen."""
        for other in self._unannounced_links.pop(citizen.key, ()):
            self.books.log += [(each, other, citizen.key) for each in number.business.numbers]

    def _merge(self, *, business: Business, kept: Citizen, other: Citizen) -> Citizen:
        other.same_as = kept
        kept.bsuid = other.bsuid
        business.by_bsuid[other.bsuid or ""] = kept
        kept.name, kept.username = kept.name or other.name, kept.username or other.username
        kept.parent_bsuid = kept.parent_bsuid or other.parent_bsuid
        for own, others in ((kept.wrote_at, other.wrote_at), (kept.entry_point_until, other.entry_point_until)):
            for number_id, moment in others.items():
                own[number_id] = max(moment, own.get(number_id, moment))
        pending = self._unannounced_links.setdefault(kept.key, [])
        pending += [other.key, *self._unannounced_links.pop(other.key, [])]
        return kept


def make_number(*, business: Business, number_id: str, display: str, throughput: int) -> Number:
    """Make a number, which is nowhere yet."""
    return Number(
        id=number_id,
        display_phone_number=display,
        business=business,
        throughput=throughput,
        bucket=Bucket(per_second=throughput, now=time.monotonic()),
        verified_name=business.name,
    )
