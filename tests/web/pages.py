"""Every page there is to see on the stage, and of each address that is not among them, why not.

test_pages.py holds both to the resolvers: who adds a page enters it here, so that axe-core looks at it in each size and
scheme (test_in_a_browser.py) and it is pictured (screenshots.py).
"""

from typing import NamedTuple

from tests.flows.live import TOWNS

NOBODY = "nobody"  # who looks at Utrecht's host without signing in
TENANT_URLS, CONSOLE_URLS = "config.urls_tenant", "config.urls_public"


class Page(NamedTuple):
    """A page: its name, whose it is (a word of stage.PEOPLE, or NOBODY), and its path.

    In a path stands {name} for what ROWS or the stage's own rows say; {name:d} where that is a whole number.
    words: what is looked for on it, which stands in no address.
    """

    name: str
    word: str
    path: str
    words: str = ""


def _thread(name: str) -> tuple[str, str]:
    return "utrecht", (
        "SELECT t.id FROM {s}.messaging_thread t JOIN {s}.messaging_contact c ON c.id = t.contact_id"
        f" WHERE c.profile_name = '{name}'"
    )


def _invoice(which: str) -> tuple[str, str]:
    return "public", f"SELECT id FROM public.billing_invoice WHERE {which}"


# By name: the schema, and the query whose first row's first column it is.
ROWS: dict[str, tuple[str, str]] = {
    "fatima": _thread("Fatima El Idrissi"),
    "jan": _thread("Jan de Wit"),
    "omer": _thread("Ömer Yılmaz"),
    "closed": ("utrecht", "SELECT id FROM {s}.messaging_thread WHERE state = 'CLOSED'"),
    "label": ("utrecht", "SELECT id FROM {s}.messaging_label ORDER BY name"),
    "reply": ("utrecht", "SELECT id FROM {s}.messaging_cannedreply ORDER BY shortcut"),
    "template": (
        "utrecht",
        "SELECT id FROM {s}.messaging_template WHERE status = 'APPROVED' AND language = 'nl' ORDER BY name DESC",
    ),
    "foreign": ("utrecht", "SELECT id FROM {s}.messaging_template WHERE name = 'paspoort_klaar'"),
    "invoice": _invoice("number ~ '^F'"),
    "note": _invoice("number ~ '^C'"),
    "review": _invoice("status = 'REVIEW'"),
    "month": ("public", "SELECT to_char(max(period), 'YYYY-MM') FROM public.billing_invoice"),
    "agent": ("utrecht", "SELECT id FROM {s}.accounts_user WHERE email = 'agent@voorbeeld.example'"),
}
NUMBER = TOWNS["utrecht"][3]

OF_EVERYBODY = (
    # What asks for a fresh sign-in comes first: one of ten minutes ago is none any more.
    Page("app", "agent", "/account/app/"),
    Page("passkey-add", "agent", "/account/passkeys/"),
    Page("app-remove", "onboarding", "/account/app/remove/"),
    Page("passkey", "onboarding", "/account/passkeys/{passkey:d}/"),
    Page("passkey-remove", "onboarding", "/account/passkeys/{passkey:d}/remove/"),
    Page("recovery-codes", "onboarding", "/account/recovery-codes/"),
    Page("recovery-codes-new", "onboarding", "/account/recovery-codes/new/"),
    Page("account", "onboarding", "/account/"),
    Page("confirm", "agent", "/account/confirm/"),
    Page("confirm-by-app", "onboarding", "/account/confirm/code/"),
    Page("confirm-by-passkey", "onboarding", "/account/confirm/passkey/"),
    Page("password", "agent", "/account/password/"),
    Page("email", "agent", "/account/email/"),
    Page("email-confirm", NOBODY, "/account/email/{email}/"),
    Page("sign-in", NOBODY, "/sign-in/"),
    Page("forgotten", NOBODY, "/sign-in/forgotten/"),
    Page("forgotten-sent", NOBODY, "/sign-in/forgotten/sent/"),
    Page("forgotten-link", NOBODY, "/sign-in/forgotten/{forgotten}/"),
    Page("forgotten-link-that-failed", NOBODY, "/sign-in/forgotten/niet/meer-geldig/"),
    Page("forgotten-done", NOBODY, "/sign-in/forgotten/done/"),
    Page("invitation-that-failed", NOBODY, "/invitation/niet-meer-geldig/"),
    Page("sent-mail", NOBODY, "/mail/"),
    Page("forbidden", "agent", "/users/"),
    Page("not-found", "agent", "/niets/"),
    Page("sign-out", "agent", "/sign-out/"),
    Page("trail", "privacy", "/trail/"),
    Page("trail-of-the-bsp", "operator", "/trail/"),
    Page("trail-denied", "privacy", "/trail/?outcome=DENIED"),
    Page("users", "admin", "/users/"),
    Page("users-of-the-bsp", "operator", "/users/"),
    Page("user", "admin", "/users/{agent}/"),
    Page("user-block", "admin", "/users/{agent}/access/"),
    Page("user-second-step", "admin", "/users/{agent}/second-step/"),
    Page("invite", "admin", "/users/invite/"),
    Page("invite-many", "admin", "/users/invite/many/"),
    Page("keys", "admin", "/keys/"),
    Page("key-new", "admin", "/keys/new/"),
    Page("key-new-secret", "admin", "/keys/{key}/new-secret/"),
    Page("key-revoke", "admin", "/keys/{key}/revoke/"),
)
OF_A_MUNICIPALITY = (
    Page("inbox-waiting", "agent", "/inbox/"),
    Page("inbox-all", "agent", "/inbox/?list=all"),
    Page("inbox-mine", "agent", "/inbox/?list=mine"),
    Page("inbox-closed", "agent", "/inbox/?list=closed"),
    Page("inbox-snoozed", "agent", "/inbox/?list=snoozed"),
    Page("inbox-label", "agent", "/inbox/?list=all&label={label}"),
    Page("search", "agent", "/search/"),
    Page("search-found", "agent", "/search/", words="lantaarnpaal"),
    Page("search-person", "agent", "/search/", words="fatima"),
    Page("search-nothing", "agent", "/search/", words="rijbewijs"),
    Page("thread-open", "agent", "/threads/{fatima}/"),
    Page("thread-closed", "agent", "/threads/{closed}/"),
    Page("thread-failed", "agent", "/threads/{omer}/"),
    Page("thread-window-closed", "agent", "/threads/{jan}/"),
    Page("send-template", "agent", "/threads/{jan}/template/{template}/"),
    Page("consent", "agent", "/threads/{jan}/consent/"),
    Page("close-thread", "agent", "/threads/{fatima}/close/"),
    Page("hand-to-team", "agent", "/threads/{fatima}/team/"),
    Page("unreached", "agent", "/unreached/"),
    Page("uncertain", "agent", "/threads/{uncertain_thread}/uncertain/{uncertain}/"),
    Page("canned", "supervisor", "/canned/"),
    Page("canned-reply-new", "supervisor", "/canned/new/"),
    Page("canned-reply", "supervisor", "/canned/{reply}/"),
    Page("labels", "admin", "/labels/"),
    Page("label", "admin", "/labels/{label}/"),
    Page("number", "admin", "/numbers/"),
    Page("number-profile", "admin", f"/numbers/{NUMBER}/profile/"),
    Page("number-photo", "admin", f"/numbers/{NUMBER}/photo/"),
    Page("declaration", "admin", "/declaration/"),
    Page("templates", "admin", "/templates/"),
    Page("template", "admin", "/templates/{foreign}/"),
    Page("template-new", "admin", "/templates/new/"),
    Page("template-draft", "admin", "/templates/{draft}/"),
    Page("template-edit", "admin", "/templates/{draft}/edit/"),
    Page("teams", "admin", "/teams/"),
    Page("team", "admin", "/teams/{team}/"),
    Page("team-dissolve", "admin", "/teams/{team}/dissolve/"),
    Page("opening-hours", "admin", "/opening-hours/"),
    Page("closed-answer", "admin", "/closed-answer/"),
    Page("privacy-notice", "admin", "/privacy-notice/"),
    Page("own-elections", "admin", "/elections/"),
    Page("own-election-lift", "admin", "/elections/{own_election}/lift/"),
    Page("bsp-access", "admin", "/entries/"),
    Page("sign-on", "admin", "/single-sign-on/"),
    Page("sign-in-rules", "admin", "/users/rules/"),
    Page("own-usage", "purse", "/usage/?month={month}"),
    Page("own-usage-empty", "purse", "/usage/?month=2025-01"),
    Page("own-invoices", "purse", "/invoices/"),
    Page("own-invoice", "purse", "/invoices/{invoice}/"),
    Page("own-invoice-line", "purse", "/invoices/{invoice}/lines/1/"),
    Page("own-credit-note", "purse", "/invoices/{note}/"),
)
OF_THE_CONSOLE = (
    Page("overview", "support", "/overview/?q=u"),
    Page("municipalities", "support", "/municipalities/"),
    Page("municipality", "support", "/municipalities/utrecht/"),
    Page("municipality-in-trouble", "support", "/municipalities/delft/"),
    Page("enter", "support", "/municipalities/utrecht/enter/"),
    Page("entering", "support", "/entries/"),
    Page("troubles", "support", "/troubles/"),
    Page("flow", "operator", "/flow/"),
    Page("letters", "operator", "/flow/dead/delft/"),
    Page("letter", "operator", "/flow/dead/delft/{letter:d}/"),
    Page("replay", "operator", "/flow/replay/?schema=delft"),
    Page("replay-progress", "operator", "/flow/replays/{replay}/"),
    Page("onboarding-register", "onboarding", "/onboarding/?q=zwolle"),
    Page("drafts", "onboarding", "/drafts/"),
    Page("draft", "onboarding", "/drafts/{draft_review}/"),
    Page("elections", "onboarding", "/elections/"),
    Page("election-lift", "onboarding", "/elections/{election}/lift/"),
    Page("invoices", "finance", "/invoices/"),
    Page("invoice", "finance", "/invoices/{invoice}/"),
    Page("invoice-line", "finance", "/invoices/{invoice}/lines/1/"),
    Page("invoice-in-review", "finance", "/invoices/{review}/"),
    Page("credit-note", "finance", "/invoices/{note}/"),
    Page("invoice-credit", "finance", "/invoices/{invoice}/credit/"),
    Page("invoice-payment", "finance", "/invoices/{invoice}/payment/"),
    Page("invoices-bundle", "finance", "/invoices/documents/"),
    Page("invoices-approve", "finance", "/invoices/many/approve/?month={month}"),
    Page("month-so-far", "finance", "/month-so-far/"),
    Page("adjustments", "finance", "/adjustments/"),
    Page("margin", "finance", "/margin/?month={month}"),
    Page("unpaid", "finance", "/unpaid/"),
    Page("rate-cards", "finance", "/rate-cards/"),
    Page("rate-card-new", "finance", "/rate-cards/new/"),
    Page("buyers", "finance", "/buyers/"),
    Page("buyer", "finance", "/buyers/utrecht/"),
)
PAGES = OF_EVERYBODY + OF_A_MUNICIPALITY + OF_THE_CONSOLE
ANSWERED = {"forbidden": 403, "not-found": 404, "invitation-that-failed": 404}  # all others: 200
SENT_ON = {"forgotten-link"}  # what the link has in it goes into the session, and out of the address

# Addresses that answer a GET and are not among them, and why. A test that is named puts the page before axe by day and
# by night.
_FILE, _ON, _STREAM = "a file", "sends on", "a stream of events"
_ROAD = "tests/web/road.py"  # whoever is on the road of one municipality looks (test_onboarding_in_a_browser.py)
NOT_EVERYBODYS = {
    "": _ON,
    "sign-in/passkey/": "what a script of the sign-in page asks for",
    "sign-in/second-step/": "tests/web/test_joining_in_a_browser.py",  # to who gave a password alone
    "account/second-step/": "tests/web/test_joining_in_a_browser.py",  # to who owes one
    "invitation/": "tests/web/test_joining_in_a_browser.py",  # to who followed a link that works
    "users/review.csv": _FILE,
    ".well-known/security.txt": _FILE,
    "trail/export.<slug:form>": _FILE,
    "api/v1/openapi.json": _FILE,
    "api/v1/docs/": "tests/web/test_in_a_browser.py",  # lets no script in, and axe-core is one
}
NOT_A_MUNICIPALITYS = {
    "numbers/<slug:phone_number_id>/photo/image/": _FILE,
    "inbox/waiting/": "a part of a thread's page, which is there too (thread-open)",
    "threads/<uuid:thread_id>/media/<uuid:medium_id>/": _FILE,
    "threads/<uuid:thread_id>/media/<uuid:medium_id>/thumbnail/": _FILE,
    "live/inbox/": _STREAM,
    "live/threads/<uuid:thread_id>/": _STREAM,
    "templates/sync/": _ON,
    "invoices/<uuid:invoice_id>.csv": _FILE,
    "invoices/<uuid:invoice_id>.pdf": _FILE,
    "invoices/<uuid:invoice_id>.xml": _FILE,
    "sign-in/provider/": _ON,
    "sign-in/provider/back/": "tests/web/test_single_sign_on_in_a_browser.py",  # to whom the provider refused
    "account/connect/": _ON,
}
NOT_THE_CONSOLES = {
    "onboarding/changes/<uuid:change_id>/": _ROAD,
    "onboarding/<uuid:onboarding_id>/": _ROAD,
    "onboarding/<uuid:onboarding_id>/part/<slug:part>/": _ROAD,
    "onboarding/<uuid:onboarding_id>/application.pdf": _FILE,
    "onboarding/<uuid:onboarding_id>/signed.pdf": _FILE,
    "onboarding/<uuid:onboarding_id>/decide/<slug:to>/": _ROAD,
    "onboarding/<uuid:onboarding_id>/connect/": _ROAD,
    "application/": _ROAD,
    "application/fill/": _ROAD,
    "application/fill/<slug:part>/": _ROAD,
    "application/application.pdf": _FILE,
    "invoices/<uuid:invoice_id>.csv": _FILE,
    "invoices/<uuid:invoice_id>.pdf": _FILE,
    "invoices/<uuid:invoice_id>.xml": _FILE,
    "invoices/month.csv": _FILE,
}
