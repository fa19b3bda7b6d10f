"""What a municipality's API takes and gives, as JSON; the OpenAPI document is made from these."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import (
    STORABLE,
    CamelCase,
    Choice,
    Flag,
    Id,
    Instant,
    Moment,
    Month,
    Pattern,
    PhoneNumber,
    Readable,
    WholeNumber,
)
from api.paging import PageQuery, PageShape
from api.tenant.choices import ChoiceShape
from api.tenant.contents import Content
from api.tenant.fillings import TemplateChoice
from messaging.consent import MOST_EVIDENCE, MOST_HOW
from messaging.failures import reason_in_words
from messaging.models import UNASSIGNED, Consent, Contact, Medium, Message, Template, Thread
from messaging.sensitive import Kind, mask, masked, masked_content
from tenants.declaration import Purpose
from whatsapp.limits import TEXT_BODY_CHARACTERS

PHONE_NUMBER = r"^\+[1-9][0-9]{6,14}$"
BUSINESS_SCOPED_ID = r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$"
META_ID = r"^[0-9]{5,40}$"


class Person(CamelCase):
    """A citizen: by phone number, or by the id that WhatsApp gives a person towards one business."""

    phone_number = Pattern(PHONE_NUMBER, required=False, help_text="E.164, such as +31612345678.")
    bsuid = Pattern(BUSINESS_SCOPED_ID, required=False, help_text="WhatsApp's business-scoped user id.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse both and neither."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either phoneNumber or bsuid.", code="one_of")
        return attrs


class OptIn(CamelCase):
    """How a citizen agreed to be written to first."""

    how = Readable(max_length=MOST_HOW, help_text="On which form, in which words.")
    evidence = Pattern(
        STORABLE,
        max_length=MOST_EVIDENCE,
        required=False,
        default="",
        allow_blank=True,
        help_text="Where the proof lies.",
    )
    said_at = Instant(help_text="When the citizen agreed; a later opt-out stands.")


class NewMessage(CamelCase):
    """A message to send: where to, and what: a text or a content of another kind, a template, or both.

    With both, the text or content is sent while the service window is open, and the template otherwise.
    """

    thread_id = Id(required=False, help_text="An open thread. Either this or recipient.")
    recipient = Person(required=False, help_text="A citizen; a thread is opened when there is none.")
    phone_number_id = Pattern(
        META_ID, required=False, help_text="The number to send from, with recipient; needed when there are several."
    )
    text = Readable(required=False, max_length=TEXT_BODY_CHARACTERS, help_text="Free-form text.")
    content = Content(required=False, help_text="A free-form message of another kind. Instead of text.")
    template = TemplateChoice(required=False)
    reply_to_message_id = Id(
        required=False, help_text="The message of the thread that a text or content answers; not with a reaction."
    )
    opt_in = OptIn(
        required=False, help_text="That the citizen agreed, for a template to somebody who did not write first."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what contradicts itself, all of it at once."""
        errors: dict[str, list[serializers.ErrorDetail]] = {}
        free = {"text", "content"} & set(attrs)
        if ("thread_id" in attrs) == ("recipient" in attrs):
            errors["threadId"] = [serializers.ErrorDetail("Give either threadId or recipient.", code="one_of")]
        if not free and "template" not in attrs:
            errors["text"] = [serializers.ErrorDetail("Give a text, a content or a template.", code="required")]
        if len(free) > 1:
            errors["content"] = [serializers.ErrorDetail("Give either text or content.", code="one_of")]
        if "phone_number_id" in attrs and "recipient" not in attrs:
            errors["phoneNumberId"] = [serializers.ErrorDetail("A thread has its number already.", code="superfluous")]
        if "reply_to_message_id" in attrs and (not free or "thread_id" not in attrs):
            errors["replyToMessageId"] = [
                serializers.ErrorDetail("Only a text or content in a thread answers a message.", code="superfluous")
            ]
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


class MessageTemplate(CamelCase):
    """The template that a message was."""

    name = serializers.CharField(source="template_name")
    category = serializers.CharField(source="template_category")

    def to_representation(self, instance: Message) -> Any:
        """Return nothing when it was none."""
        return super().to_representation(instance) if instance.template_name else None


class Failure(CamelCase):
    """Why a message was not sent or delivered."""

    code = serializers.IntegerField(source="failed_code", allow_null=True, help_text="Meta's code, if it was Meta.")
    reason = serializers.SerializerMethodField(help_text="Why, in Dutch, or in English where that is asked for.")

    def get_reason(self, message: Message) -> str:
        """Say it in plain words; Meta's code stands beside it."""
        request = self.context.get("request")
        language = request.headers.get("Accept-Language", "") if request is not None else ""
        return reason_in_words(message=message, language=language)

    def to_representation(self, instance: Message) -> Any:
        """Return nothing when it did not fail."""
        return super().to_representation(instance) if instance.failed_reason else None


class MediumShape(CamelCase):
    """A file: a picture, sound, video or document."""

    id = Id()
    kind = serializers.CharField(help_text="WhatsApp's word: audio, document, image, sticker or video.")
    state = Choice(
        choices=Medium.State.values,
        help_text="PENDING: being fetched from WhatsApp. Only of a STORED one the content can be downloaded.",
    )
    reason = serializers.CharField(help_text="Why it was not fetched (yet), as a code; else empty.")
    file_name = serializers.CharField(source="filename", help_text="As the sender called it; often empty.")
    content_type = serializers.CharField(help_text="What it is by its content; empty until it is STORED.")
    caution = Choice(
        choices=["", *Medium.Caution.values],
        help_text="TYPE_DIFFERS: it is something else than it says it is. DANGEROUS: it can harm a computer.",
    )
    size_bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.SerializerMethodField(allow_null=True)

    def get_sha256(self, medium: Medium) -> str | None:
        """Return the digest of its bytes, in hex."""
        return bytes(medium.sha256).hex() if medium.sha256 is not None else None

    def to_representation(self, instance: Medium) -> Any:
        """Mask the name as a text is."""
        shown = super().to_representation(instance)
        if not self.context.get("unmasked"):
            shown["fileName"] = mask(text=shown["fileName"])
        return shown


class MessageShape(CamelCase):
    """One message, of a citizen or to one."""

    id = Id()
    thread_id = Id()
    direction = Choice(choices=Message.Direction.values)
    kind = serializers.CharField(help_text="WhatsApp's word: text, image, template and so on; more may come.")
    text = serializers.CharField(help_text="What a person reads of it; empty where there is nothing to read.")
    content = serializers.DictField(help_text="The object of this kind, as WhatsApp writes it.")
    masked = serializers.SerializerMethodField(
        help_text=(
            "Which numbers are masked with • in text and content: BSNs, payment cards, IBANs. Empty where none stands, "
            "and for a key with the scope messages:unmask, which gets them in full."
        ),
    )
    medium = MediumShape(allow_null=True, help_text="The file that came or went with it.")
    state = Choice(choices=Message.State.values)
    stamped_at = Moment(help_text="Inbound: when the citizen sent it; outbound: when it was queued.")
    purpose = Choice(choices=["", *Purpose.values], help_text="The declared purpose of a template; else empty.")
    template = MessageTemplate(source="*", allow_null=True)
    failure = Failure(source="*", allow_null=True)
    choice = serializers.SerializerMethodField(
        allow_null=True, help_text="What was decided about it while it was UNCERTAIN; null when nothing was."
    )

    @extend_schema_field(serializers.ListField(child=Choice(choices=[kind.value for kind in Kind])))
    def get_masked(self, message: Message) -> list[str]:
        """Return what is masked when nothing is; `to_representation` says what."""
        return []

    def to_representation(self, instance: Message) -> Any:
        """Mask what the key may not see in full; what it may says the context, `ApiView.sight`."""
        shown = super().to_representation(instance)
        if not self.context.get("unmasked"):
            said, (content, found) = masked(text=shown["text"]), masked_content(content=shown["content"])
            shown |= {"text": said.text, "content": content, "masked": sorted(said.kinds | found)}
        return shown

    @extend_schema_field(ChoiceShape(allow_null=True))
    def get_choice(self, message: Message) -> Any:
        """Return what was decided; of a message that just came or waits nothing can be."""
        if message.direction == Message.Direction.INBOUND or message.state == Message.State.QUEUED:
            return None
        choice = getattr(message, "choice", None)
        return ChoiceShape(choice).data if choice is not None else None


class Standing(Choice):
    """The word that stands about a contact, of those that the view looked up for all contacts at once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=Consent.Word.values, **options)

    def to_representation(self, value: Contact) -> str | None:
        """Return the word, or None when nothing was said."""
        said: Consent | None = self.context["consents"].get(value.id)
        return said.word if said else None


class ContactShape(CamelCase):
    """The citizen of a thread."""

    id = Id()
    phone_number = PhoneNumber(source="wa_id", allow_null=True, help_text="Null where only WhatsApp knows it.")
    bsuid = serializers.CharField(allow_null=True)
    profile_name = serializers.CharField(help_text="As the citizen calls themselves; empty when unknown.")
    consent = Standing(source="*", allow_null=True, help_text="What stands about being written to; null: nothing said.")


class ThreadShape(CamelCase):
    """One contact on one number, opened and closed."""

    id = Id()
    phone_number_id = serializers.CharField()
    state = Choice(choices=Thread.State.values)
    contact = ContactShape()
    team_id = Id(allow_null=True, help_text="The team that it was handed to; null: no team's.")
    opened_at = Moment()
    closed_at = Moment(allow_null=True)
    last_message_at = Moment()
    waiting_since = Moment(allow_null=True, help_text="Since when the citizen waits for an answer.")
    window_ends_at = Moment(
        allow_null=True, help_text="Until when a text may be sent; null when the citizen never wrote."
    )


class NewConsent(CamelCase):
    """What a citizen said elsewhere about being written to first."""

    recipient = Person()
    word = Choice(choices=Consent.Word.values)
    how = Readable(max_length=MOST_HOW, help_text="On which form, in which words.")
    evidence = Pattern(
        STORABLE,
        max_length=MOST_EVIDENCE,
        required=False,
        default="",
        allow_blank=True,
        help_text="Where the proof lies.",
    )
    said_at = Instant(help_text="When the citizen said so.")


class ConsentShape(CamelCase):
    """One word of a citizen about being written to first. Never changed; the latest by saidAt stands."""

    word = Choice(choices=Consent.Word.values)
    source = Choice(
        choices=Consent.Source.values,
        help_text="MESSAGE: written here. WHATSAPP: set in WhatsApp. RECORDED: said elsewhere.",
    )
    said_at = Moment(source="at")
    recorded_at = Moment()
    how = serializers.CharField()
    evidence = serializers.CharField()
    recorded_by = serializers.CharField(source="actor_name")


class ConsentList(CamelCase):
    """All that was said about one citizen, the latest first."""

    items = ConsentShape(many=True)


class TemplateParameter(CamelCase):
    """One variable of a template."""

    name = serializers.CharField()
    example = serializers.CharField()


class TemplateShape(CamelCase):
    """A message that Meta approved, or is asked to."""

    id = Id()
    name = serializers.CharField()
    language = serializers.CharField()
    category = serializers.CharField()
    status = Choice(choices=Template.Status.values)
    purpose = Choice(
        choices=[*Purpose.values, UNASSIGNED], help_text="UNASSIGNED: it cannot be sent until it has a purpose."
    )
    body = serializers.CharField(help_text="With its variables as {{name}}.")
    parameters = TemplateParameter(many=True)
    refusal = serializers.SerializerMethodField(
        help_text="Why it cannot be sent now, by the code with which a message of it is refused; null when it can."
    )

    def get_refusal(self, template: Template) -> str | None:
        """Return why it cannot be sent; of all templates looked up at once."""
        refusals: dict[UUID, str | None] = self.context["refusals"]
        return refusals[template.id]


class UsageShape(CamelCase):
    """What was used in one month in one category."""

    month = Month()
    category = serializers.CharField()
    conversations = serializers.IntegerField(min_value=0)


class ThreadPage(PageShape):
    """A page of threads."""

    items = ThreadShape(many=True)


class MessagePage(PageShape):
    """A page of messages."""

    items = MessageShape(many=True)


class TemplateList(CamelCase):
    """All templates."""

    items = TemplateShape(many=True)


class UsageList(CamelCase):
    """Usage by month and category."""

    items = UsageShape(many=True)


class ThreadQuery(PageQuery):
    """Which threads to list."""

    state = Choice(choices=Thread.State.values, required=False, help_text="Only open or only closed ones.")
    waiting = Flag(required=False, help_text="Whether the citizen waits for an answer.")
    phone_number_id = Pattern(META_ID, required=False, help_text="Only those on this number of the municipality's.")


class TemplateQuery(CamelCase):
    """Which templates to list."""

    status = Choice(choices=Template.Status.values, required=False)


class UsageQuery(CamelCase):
    """Which months."""

    from_month = Month(required=False, help_text="The first month; absent: the current one.")
    months = WholeNumber(min_value=1, max_value=24, default=1, help_text="How many months from there.")
