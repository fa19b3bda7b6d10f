"""What processes count of themselves while they work: intake, applying, sending. Read by `manage.py serve_metrics`.

With PROMETHEUS_MULTIPROC_DIR set, every process writes its counts into files there, so that the workers of one machine
or pod are added up; without it they are counted and never seen. Labels name schemas and codes, never persons.
"""

from prometheus_client import Counter, Histogram

INTAKE_POSTS = Counter("whatsapp_intake_posts", "POSTs at Meta's door, by the status answered", ["status"])
INTAKE_SECONDS = Histogram(
    "whatsapp_intake_seconds",
    "From the arrival of a POST at Meta's door to its answer",
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
EVENTS_STORED = Counter("whatsapp_events_stored", "Webhook events stored durably, repeats included")
EVENTS_APPLIED = Counter("whatsapp_events_applied", "Webhook events dealt with, by what became of them", ["state"])
MESSAGES_RECEIVED = Counter(
    "whatsapp_messages_received", "Messages that are new, by Meta's kind; unknown: other", ["kind"]
)
MESSAGES_SET_ASIDE = Counter("whatsapp_messages_set_aside", "Messages kept and not shown, by why", ["reason"])
ACCOUNT_UPDATES = Counter(
    "whatsapp_account_updates",
    "Account-level updates by Meta, by field and by whether they were applied, kept as known or not understood",
    ["field", "outcome"],
)
SENDS = Counter("whatsapp_sends", "Calls to send a message, by municipality and outcome", ["schema", "outcome"])
META_ERRORS = Counter("whatsapp_meta_errors", "Refusals by Meta, at once or by a status, by code", ["code"])
MEDIA = Counter("whatsapp_media", "Media of citizens, by what became of an attempt to fetch them", ["outcome"])
TEMPLATE_SYNCS = Counter("whatsapp_template_syncs", "Looks at an account's templates, by outcome", ["outcome"])
TEMPLATE_PROBLEMS = Counter(
    "whatsapp_template_problems", "Templates that a look could not take over as they are, by what is wrong", ["problem"]
)
