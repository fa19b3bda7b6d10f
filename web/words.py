"""The words on the pages for what the rooms call by their code words: states, roles, kinds of messages, refusals."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from web import desk_words, people_words

STAGES: dict[str, Promise] = {
    "APPLIED": _("Applied"),
    "DECLARED": _("Declared"),
    "APPROVED": _("Approved"),
    "REJECTED": _("Rejected"),
    "CONNECTED": _("Connected"),
    "GOVERNMENT_APPROVAL_PENDING": _("Waiting for Meta's approval"),
    "REGISTERED": _("Registered"),
    "LIVE": _("Live"),
    "SUSPENDED": _("Suspended"),
    "OFFBOARDED": _("Ended"),
}

# What waits on the console's first page: stages of the road, and work of ours.
WAITING: dict[str, Promise] = {
    "APPLIED": _("Applications to fill in"),
    "DECLARED": _("Declarations to approve"),
    "APPROVED": _("Municipalities to connect at Meta"),
    "CONNECTED": _("Municipalities to register"),
    "GOVERNMENT_APPROVAL_PENDING": _("Approvals of governments by Meta"),
    "REGISTERED": _("Municipalities to bring live"),
    "DRAFTS": _("Flagged drafts of templates"),
    "DECLARATION_CHANGES": _("Changes of declarations to approve"),
    "DEAD_LETTERS": _("Events that could not be applied"),
    "EVENTS": _("Inboxes that fall behind"),
    "DATA_OF_ENDED": _("Ended municipalities whose data is to be erased"),
}
CHANGE_STATES: dict[str, Promise] = {
    "WAITING": _("Waits for the provider"),
    "APPROVED": _("Approved"),
    "REJECTED": _("Rejected"),
    "WITHDRAWN": pgettext_lazy("declaration", "Taken back"),
}
WAITS_FOR: dict[str, Promise] = {"BSP": _("us"), "MUNICIPALITY": _("the municipality"), "META": _("Meta")}

PROHIBITIONS: dict[str, Promise] = {
    "PROMOTION": _("promotion"),
    "POLITICAL_CAMPAIGN": _("political campaign"),
    "VOTER_DATA": _("collecting data of voters"),
    "ELECTION_INTERFERENCE": _("influencing an election"),
}

# What an agent reads below an outgoing message.
MESSAGE_STATES: dict[str, Promise] = {
    "QUEUED": _("In the queue"),
    "SENDING": _("Being sent"),
    "UNCERTAIN": _("Uncertain whether it was sent"),
    "ACCEPTED": _("Accepted by WhatsApp"),
    "SENT": _("Sent"),
    "DELIVERED": _("Delivered"),
    "READ": _("Read"),
    "PLAYED": _("Played"),
    "FAILED": _("Not sent"),
    "RECEIVED": _("Received"),
}

# Beside the word, never instead of it: as citizens know them from the app.
TICKS = {"ACCEPTED": "✓", "SENT": "✓", "DELIVERED": "✓✓", "READ": "✓✓", "PLAYED": "✓✓", "FAILED": "✕", "UNCERTAIN": "?"}

KINDS: dict[str, Promise] = {
    "image": _("Picture"),
    "video": _("Video"),
    "audio": _("Voice message or sound"),
    "document": _("Document"),
    "sticker": _("Sticker"),
    "location": _("Location"),
    "contacts": _("Contact card"),
    "reaction": _("Reaction"),
    "button": _("Button pressed"),
    "interactive": _("Choice made"),
    "order": _("Order"),
    "system": _("Message from WhatsApp"),
    "call": _("Call"),
    "edit": _("Changed message"),
    "revoke": _("Message withdrawn by the citizen"),
    "template": _("Template"),
    "unsupported": _("A kind of message that WhatsApp does not pass on"),
    # What we sent, more closely.
    "ours.button": _("Question with buttons"),
    "ours.list": _("Question with a list"),
    "ours.cta_url": _("Message with a link button"),
    "ours.location_request_message": _("Request for a location"),
    "ours.contact_request": _("Request for a phone number"),
    "ours.reaction": _("Reaction"),
    "ours.reaction_removed": _("Reaction taken away"),
}

# What citizens said about being written to first, and how it is known.
CONSENTS: dict[str, Promise] = {"OPT_IN": _("Wants messages"), "OPT_OUT": _("Wants no messages")}
CONSENT_SOURCES: dict[str, Promise] = {
    "MESSAGE": _("Wrote so here"),
    "WHATSAPP": _("Set in WhatsApp"),
    "RECORDED": _("Recorded"),
}
CONSENT_REFUSALS: dict[str, Promise] = {
    "consent_how_missing": _("Say how the citizen told it."),
    "consent_in_future": _("What a citizen said, they said before now."),
}

# What Meta decides about names and usernames.
DECISIONS: dict[str, Promise] = {
    "APPROVED": _("Approved"),
    "REJECTED": _("Rejected"),
    "PENDING": _("Under review at Meta"),
    "DEFERRED": _("Under review at Meta"),
    "RESERVED": _("Reserved"),
    "DELETED": _("Deleted"),
}

QUALITIES: dict[str, Promise] = {
    "GREEN": pgettext_lazy("quality", "Good"),
    "YELLOW": pgettext_lazy("quality", "Fair"),
    "RED": pgettext_lazy("quality", "Bad"),
    "UNKNOWN": pgettext_lazy("quality", "Not known"),
}

# Why a citizen's file is not there (yet): messaging/media/settling.py gives these codes.
MEDIA_REASONS: dict[str, Promise] = {
    "NO_TOKEN": _("this number is not connected to WhatsApp now"),
    "REFUSED": _("WhatsApp does not know this file"),
    "THROTTLED": _("WhatsApp asks us to wait"),
    "DIGEST_DIFFERS": _("what came is not what the citizen sent"),
    "STORAGE": _("it could not be stored"),
    "NO_KEY": _("it could not be stored"),
    "FAULT": _("something went wrong with us"),
    "CUT_OFF": _("it was cut off time and again"),
    "TOO_SLOW": _("WhatsApp was too slow"),
    "READ_TIMEOUT": _("WhatsApp was too slow"),
    "BAD_REFERENCE": _("WhatsApp did not say which file it was"),
}
MEDIA_UNREACHABLE: Promise = _("WhatsApp could not be reached")

# What a document is, by its content.
MEDIA_TYPES: dict[str, Promise] = {
    "application/pdf": _("PDF"),
    "application/msword": _("Word document"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": _("Word document"),
    "application/vnd.ms-excel": _("Spreadsheet"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _("Spreadsheet"),
    "application/vnd.ms-powerpoint": _("Presentation"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": _("Presentation"),
    "application/zip": _("Archive"),
    "text/plain": _("Plain text"),
    "text/html": _("Web page"),
    "image/svg+xml": _("Drawing with a program in it"),
    "application/x-executable": _("Program"),
    "application/x-script": _("Program"),
    "application/java-archive": _("Program"),
    "application/vnd.ms-office.macro-enabled": _("Office document with macros"),
    "image/jpeg": _("Picture"),
    "image/png": _("Picture"),
    "image/webp": _("Picture"),
    "image/gif": _("Picture"),
    "image/heif": _("Picture"),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/3gpp"), _("Sound")),
    **dict.fromkeys(("video/mp4", "video/3gpp", "video/quicktime"), _("Video")),
}
MEDIA_TYPE_OF_OTHERS: Promise = _("File")

TEMPLATE_STATES: dict[str, Promise] = {
    "DRAFT": _("Draft"),
    "PENDING": _("Under review at Meta"),
    "APPROVED": _("Approved"),
    "REJECTED": _("Rejected"),
    "PAUSED": _("Paused by Meta"),
    "DISABLED": _("Disabled by Meta"),
    "IN_APPEAL": _("In appeal at Meta"),
    "FLAGGED": _("Flagged by Meta"),
    "LIMIT_EXCEEDED": _("Refused: too many templates"),
    "LOCKED": _("Locked by Meta"),
    "ARCHIVED": _("Archived by Meta"),
    "PENDING_DELETION": _("Being deleted at Meta"),
    "DELETED": _("Deleted at Meta"),
    "UNKNOWN": _("Unknown state"),
}

PURPOSES: dict[str, Promise] = {
    "CRISIS": _("Crisis"),
    "PERMITS": _("Permits"),
    "APPOINTMENTS": _("Appointments"),
    "SERVICES": _("Municipal services"),
    "TOURISM": _("Tourism"),
    "UNASSIGNED": _("No purpose yet"),
}

CATEGORIES: dict[str, Promise] = {
    "MARKETING": _("Marketing"),
    "UTILITY": _("Utility"),
    "AUTHENTICATION": _("Authentication"),
    "AUTHENTICATION_INTERNATIONAL": _("Authentication, international"),
    "SERVICE": _("Service"),
    "REFERRAL_CONVERSION": _("Free entry point"),
}

TROUBLES: dict[str, Promise] = {
    "TOKEN": _("Access withdrawn"),
    "LOCKED": _("Account locked"),
    "PAYMENT": _("Payment refused"),
    "UNREGISTERED": _("Number not registered"),
    "RESTRICTED": _("Restricted by Meta"),
    "QUALITY": _("Quality too low"),
    "LIMIT": _("Message limit reached"),
    "SILENT": _("Unexpectedly silent"),
    "STANDBY": _("Taken over by another application"),
    "DISCONNECTED": _("Disconnected"),
    "UNREACHABLE": _("Meta cannot be reached"),
    "STALLED": _("Messages stand still"),
    "PIN": _("PIN asked for or taken off"),
}

ROLES: dict[str, Promise] = {
    "ADMIN": _("Administrator"),
    "SUPERVISOR": _("Supervisor"),
    "AGENT": _("Agent"),
    "FINANCE": _("Finance"),
    "PRIVACY_OFFICER": _("Privacy officer"),
    "BSP_ONBOARDING": _("Onboarding"),
    "BSP_SUPPORT": _("Support"),
    "BSP_FINANCE": _("Finance"),
    "BSP_OPERATOR": _("Operator"),
}

INVOICE_STATES: dict[str, Promise] = {
    "DRAFT": pgettext_lazy("invoice", "Draft"),
    "REVIEW": _("In review"),
    "APPROVED": _("Approved"),
    "FINALISED": _("Finalised"),
    "PAID": _("Paid"),
    "CREDITED": _("Credited"),
}

LINE_KINDS: dict[str, Promise] = {
    "CONVERSATIONS": _("Conversations"),
    "INCLUDED": _("Conversations, included"),
    "MESSAGES": _("Messages"),
    "CORRECTION": _("Correction of an earlier month"),
    "PLATFORM_FEE": _("Platform, fixed amount"),
    "ONBOARDING_FEE": _("Onboarding, once"),
    "DISCOUNT": _("Discount"),
    "MINIMUM": _("Up to the minimum"),
    "ADJUSTMENT": _("Correction booked by hand"),
}

# The details of a buyer on its invoices (billing/parties.py).
PROFILE_FIELDS: dict[str, Promise] = {
    "legal_name": _("Name of the legal entity"),
    "kvk": _("KvK number"),
    "oin": _("OIN"),
    "vat_number": _("VAT number"),
    "street": _("Street and number"),
    "postcode": _("Postcode"),
    "city": _("City"),
    "country": _("Country"),
    "order_reference": _("Order reference"),
    "cost_centre": _("Cost centre"),
    "has_no_cost_centre": _("that there is none"),
    "email": _("E-mail address for invoices"),
    "payment_days": _("Days within which is paid"),
}
# How long an invoice is past its due date: the class begins at so many days (billing/paying.py).
AGES: dict[str, Promise] = {
    "-1": _("Not due yet"),
    "0": _("1 to 30 days"),
    "30": _("31 to 60 days"),
    "60": _("61 to 90 days"),
    "90": _("More than 90 days"),
}

LANGUAGES: dict[str, Promise] = {"nl": _("Dutch"), "en": _("English"), "en_US": _("English")}

# Why a message was not taken, beside what whatsapp/texts.py says of its content (messaging/replying.py, consent.py).
REFUSALS: dict[str, Promise] = {
    "template_not_approved": _("Meta has not approved this template, or no longer does. Choose another one."),
    "template_rejected": _("Meta rejected this template. Your administrator sees why, under Templates."),
    "template_paused": _("Meta paused this template, because citizens reacted badly to it. Choose another one."),
    "template_disabled": _("Meta disabled this template for good. Choose another one."),
    "template_archived": _("Meta archived this template, because it was not used for long. Choose another one."),
    "template_deleted": _("This template was deleted at Meta. Choose another one."),
    "template_marketing": _(
        "Meta regards this template as marketing, which a municipality may not send. Choose another one."
    ),
    "template_purpose_missing": _(
        "This template belongs to no declared purpose yet. Your administrator gives it one, under Templates."
    ),
    "template_purpose_undeclared": _(
        "This template belongs to a purpose that your municipality has not declared. Choose another one."
    ),
    "template_changed": _("Meta has another text of this template now. Choose the template anew."),
    "template_stale": _(
        "What we know of this template is out of date. Your administrator brings it up to date, under Templates."
    ),
    "template_unreadable": _(
        "What Meta has of this template cannot be read, so it cannot be sent. Choose another one."
    ),
    "template_of_another_account": _("This template belongs to another number. Choose another one."),
    "template_parameters_differ": _("Fill in every field of the template."),
    "template_values_flagged": _(
        "What you filled in has words that a municipality may not send by WhatsApp: promotion, politics or elections. "
        "Write it otherwise."
    ),
    "election_period": _(
        "Until the election your municipality starts no conversations but in a crisis. "
        "Once this citizen has written, you can answer."
    ),
    "template_header_differs": _("The header of this template needs something else. Choose another one."),
    "template_buttons_differ": _("The buttons of this template need something else. Choose another one."),
    "window_closed": _("The 24 hours in which you may answer freely are over. Send a template instead."),
    "opted_out": _("This citizen asked for no messages any more. You may only answer what they write."),
    "opt_in_needed": _("This citizen never wrote to you. Record first how they agreed to be written to."),
    "thread_closed": _("This conversation is closed. When the citizen writes again, a new one opens."),
    "answered_meanwhile": _(
        "A colleague answered while you were writing. Read that first. Your text is still here, if you still need it."
    ),
}
CLOSE_REASONS: dict[str, Promise] = {
    "ANSWERED": _("The question was answered"),
    "HANDED_OVER": _("Handed over to another department"),
    "NO_REPLY": _("The citizen no longer replies"),
    "NOT_FOR_US": _("Not for the municipality"),
    "SPAM": _("Unwanted messages"),
}
REFUSED: Promise = _("WhatsApp would not take this message. Change it and try again.")

# Entries of the BSP's people into a municipality (tenants/break_glass.py); OVER: its time was over.
ENTRY_STATES: dict[str, Promise] = {
    "REQUESTED": _("Waits for the municipality"),
    "APPROVED": _("May be opened"),
    "REFUSED": pgettext_lazy("entry", "Refused"),
    "WITHDRAWN": pgettext_lazy("entry", "Withdrawn"),
    "LAPSED": pgettext_lazy("entry", "Lapsed"),
    "OPEN": pgettext_lazy("entry", "Inside now"),
    "ENDED": pgettext_lazy("entry", "Ended"),
}
ENTRY_ROLES: dict[str, Promise] = {"ADMIN": _("Settings"), "AGENT": _("Conversations, only to read")}
ENTRY_REFUSALS: dict[str, Promise] = {
    "reason": _("Give a reason of 10 to 500 characters: the municipality reads it."),
    "roles": _("Choose at least one thing that you need to see."),
    "minutes": _("Choose a time from 15 minutes to 4 hours."),
    "already_asked": _("You have an entry into this municipality that is not over. End it first, or use it."),
    "too_late": _("This is over, or was answered already."),
    "no_second_step": _("Sign in with a second step first: set one up under My account, then sign in again."),
}

# What a key of a system may do (accounts/scopes.py), and how it is.
SCOPES: dict[str, Promise] = {
    "messages:send": _("Send messages and record permissions (messages:send)"),
    "messages:read": _("Read conversations and messages (messages:read)"),
    "messages:unmask": _("See citizen service, card and bank account numbers in full (messages:unmask)"),
    "templates:read": _("Read templates (templates:read)"),
    "usage:read": _("Read counts of conversations (usage:read)"),
    "municipalities:read": _("Read municipalities and numbers (municipalities:read)"),
    "invoices:read": _("Read invoices (invoices:read)"),
}
KEY_STATES: dict[str, Promise] = {
    "ACTIVE": pgettext_lazy("key", "Works"),
    "EXPIRED": pgettext_lazy("key", "Expired"),
    "REVOKED": pgettext_lazy("key", "Revoked"),
}

# What stands in a trail. What is not here is shown by its code.
ACTIONS: dict[str, Promise] = {
    "account.change": _("Own account changed"),
    "api.call": _("Operation of the API"),
    "api_key.create": _("API key made"),
    "api_key.revoke": _("API key revoked"),
    "api_key.rotate": _("API key given a new secret"),
    "audit.export": _("Trail exported"),
    "audit.verify": _("Trail verified"),
    "break_glass.approve": _("Entry of the BSP approved"),
    "break_glass.ask": _("Entry of the BSP asked for"),
    "break_glass.choose": _("Chosen whether entries of the BSP are approved first"),
    "break_glass.end": _("Entry of the BSP ended"),
    "break_glass.hand_over": _("Entry of the BSP handed over"),
    "break_glass.lapse": _("Entry of the BSP lapsed"),
    "break_glass.open": _("Entry of the BSP opened"),
    "break_glass.refuse": _("Entry of the BSP refused"),
    "break_glass.return": _("Entry of the BSP gone on with"),
    "break_glass.withdraw": _("Entry of the BSP withdrawn"),
    "inbox.claim": _("Messages claimed that were nobody's"),
    "inbox.replay": _("Laid-aside events put back"),
    "inbox.replay.ask": _("Laid-aside events asked back"),
    "billing_profile.save": _("Billing details changed"),
    "invoice.adjust": _("Correction booked by hand"),
    "meta_rates.load": _("Meta's rates loaded"),
    "invoice.approve": _("Invoice approved"),
    "invoice.collect": _("Collection by Stripe taken up again"),
    "invoice.credit": _("Credit note made"),
    "invoice.export": _("Invoice exported"),
    "invoice.finalise": _("Invoice finalised"),
    "invoice.mail": _("Invoice mailed again"),
    "invoice.pay": _("Payment booked"),
    "invoice.set_off": _("Set off against another invoice"),
    "invoice.send_back": _("Approval of an invoice taken back"),
    "invoices.run": _("Invoices drafted"),
    "media.ask_again": _("File fetched again"),
    "media.erase": _("File erased"),
    "media.read": _("File opened"),
    "media.upload": _("File uploaded"),
    "message.choose": _("Decided about an uncertain message"),
    "message.queue": _("Message sent"),
    "municipality.create": _("Municipality made"),
    "onboarding.begin": _("Onboarding begun"),
    "onboarding.fill_in": _("Application filled in"),
    "onboarding.link": _("Link to an application made"),
    "onboarding.link_end": _("Link to an application ended"),
    "onboarding.link_used": _("Link to an application opened"),
    "onboarding.move": _("Onboarding moved to another stage"),
    "onboarding.read_copy": _("Signed application opened"),
    "onboarding.sign": _("Signed application uploaded"),
    "onboarding.step": _("Step at Meta taken"),
    "page.open": _("Page opened"),
    "quarantine.erase": _("Messages erased that nobody claimed"),
    "rate_card.load": _("Rates loaded"),
    "register.refresh": _("Register of municipalities refreshed"),
    "sign_in.provider": _("Signed in by the municipality's provider"),
    "sign_on.change": _("Single sign-on changed"),
    "sign_on.link": _("Account of the municipality connected"),
    "template.assign_purpose": _("Template given a purpose"),
    "template.sync": _("Look at Meta's templates asked for"),
    "thread.assigned": _("Conversation given to an agent"),
    "thread.case": _("Conversation linked to a case"),
    "team.change": _("Team changed"),
    "team.dissolve": _("Team dissolved"),
    "number.photo": _("Photo of a number changed"),
    "number.profile": _("Profile of a number changed"),
    "number.read": _("Meta asked how a number is"),
    "number.token": _("Token of a number replaced"),
    "office.hours": _("Opening hours saved"),
    "office.special_day": _("Special day added"),
    "office.special_day_removed": _("Special day removed"),
    "office.privacy_notice": _("Privacy notice saved"),
    "team.make": _("Team made"),
    "team.rule": _("Chosen what agents see"),
    "template.ask_review": _("Flagged draft put before the provider"),
    "template.change_draft": _("Draft of a template changed"),
    "template.decide_review": _("Flagged draft judged"),
    "template.edit": _("New words for a template at Meta saved"),
    "template.drop_edit": _("New words for a template at Meta thrown away"),
    "template.draft": _("Template drafted"),
    "template.submit": _("Template handed in at Meta"),
    "declaration.ask": _("Other purposes asked for"),
    "declaration.decide": _("Change of a declaration approved or rejected"),
    "declaration.withdraw": _("Change of a declaration taken back"),
    "election_period.lift": _("Election period ended"),
    "election_period.set": _("Election period set"),
    "thread.close": _("Conversation closed"),
    "thread.note": _("Internal note written"),
    "thread.hand_over": _("Conversation handed to a team"),
    "thread.read": _("Conversation opened"),
    "thread.released": _("Conversation given back"),
    "thread.search": _("Citizen's conversations looked for"),
    "thread.snoozed": _("Conversation put aside"),
    "thread.woken": _("Conversation taken up again"),
    "user.make": _("User made or changed"),
    **people_words.ACTIONS,
    **desk_words.ACTIONS,
}
OUTCOMES: dict[str, Promise] = {
    "OK": pgettext_lazy("outcome", "Done"),
    "DENIED": pgettext_lazy("outcome", "Denied"),
    "FAILED": pgettext_lazy("outcome", "Failed"),
}
