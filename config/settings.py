"""Django's settings. Every value that differs between machines comes from config/env.py."""

from typing import Any

from psycopg.conninfo import conninfo_to_dict

from config.env import ROOT, local_environment, read

ENVIRONMENT = local_environment()
_value = read(ENVIRONMENT)

DEBUG = False  # its error pages would show citizens' words; development reads its log instead
DEVELOPMENT = _value["ENVIRONMENT"] == "development"
SECRET_KEY = _value["DJANGO_SECRET_KEY"]
FIELD_ENCRYPTION_KEYS = _value["FIELD_ENCRYPTION_KEYS"]
BASE_DOMAIN = _value["BASE_DOMAIN"]
PORT = _value["PORT"]
CONSOLE_HOST = f"console.{BASE_DOMAIN}"
ALLOWED_HOSTS = [f".{BASE_DOMAIN}"]
CLOCK_FILE = _value["CLOCK_FILE"]

# --- Rooms and schemas. An app's place is fixed once: moving it later needs faked migrations.
_BOTH = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "accounts",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "audit",
    "api",
]
SHARED_APPS = ["django_tenants", "web", "tenants", *_BOTH, "billing", "messaging.core"]
SHARED_APPS += ["django.contrib.messages", "django.contrib.staticfiles"]  # they have no tables
TENANT_APPS = [*_BOTH, "messaging"]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]
TENANT_MODEL = "tenants.Municipality"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_LIMIT_SET_CALLS = True  # SET search_path once a schema change instead of once a cursor
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# What higher rooms do when a tenant is made, by dotted path, in this order (tenants/provisioning.py).
PROVISIONING_STEPS = [
    "accounts.provisioning.invite_first_admin",
    "messaging.templates.defaults.install_defaults",
    "messaging.office.setting.install_hours",
    "messaging.office.setting.install_notice",
    "messaging.core.lanes.open_lane",
    "messaging.quarantine.claim_soon",
    "messaging.core.partitions.attach_inbox",  # last: until the commit no other can be attached
]
# How higher rooms compare what is there with the arguments of a repeated call.
PROVISIONING_CHECKS = ["accounts.provisioning.other_first_admin", "messaging.office.setting.other_notice"]
# What higher rooms do when somebody of a municipality may come in no longer, by dotted path (accounts/people.py).
LEAVING_STEPS = ["messaging.desk.assigning.release_all"]
# What higher rooms do when a municipality declares other purposes, by dotted path (tenants/onboarding/redeclaring.py).
DECLARATION_STEPS = ["messaging.templates.redeclaring.follow"]
# And when it was decided whether it may, either way.
DECLARATION_TOLD = ["accounts.declaration_mail.post"]
# What higher rooms do when the BSP suspends, resumes or ends a municipality's sending (tenants/onboarding/moves.py).
SUSPENSION_TOLD = ["accounts.suspension_mail.post"]

# --- Database
DATABASE_URL = _value["DATABASE_URL"]
_conninfo = conninfo_to_dict(DATABASE_URL)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "NAME": _conninfo.pop("dbname"),
        "USER": _conninfo.pop("user", ""),
        "PASSWORD": _conninfo.pop("password", ""),
        "HOST": _conninfo.pop("host", ""),
        "PORT": str(_conninfo.pop("port", "")),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # An empty search_path makes code that forgot its tenant fail instead of finding another's rows.
        "OPTIONS": {**_conninfo, "options": "-c search_path="},
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
INTAKE_CONNECTIONS = _value["INTAKE_CONNECTIONS"]

# --- Web
ROOT_URLCONF = "config.urls_tenant"
PUBLIC_SCHEMA_URLCONF = "config.urls_public"
MIDDLEWARE = [
    "api.middleware.ApiMiddleware",  # first: it dresses what all others answer below /api/
    "web.origin.OriginMiddleware",
    "tenants.hosts.HostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "web.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "web.visitor.VisitorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "web.frame.frame",
            ]
        },
    }
]
# Files of the pages: served by the product itself under hashed names (web/assets.py), nothing is collected.
STATIC_URL = "/static/"
STATICFILES_DIRS = [("lib", ROOT / "node_modules")]  # web/assets.py names the few files that are taken from it
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "media": _value["STORAGE_URL"],  # of messaging/media/blobs.py alone; nothing serves it by itself
    "staticfiles": {"BACKEND": "web.assets.AssetStorage"},
}
CACHES = {
    "default": {
        "BACKEND": "config.attempts.AttemptsCache",  # only attempts are counted in a cache
        "LOCATION": _value["CELERY_BROKER_URL"],
        "KEY_FUNCTION": "django_tenants.cache.make_key",  # every key carries its schema
    }
}

# --- Signing in: by e-mail and password; accounts are given, never taken (accounts/adapters.py)
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "accounts.entering.InsideBackend",  # who is inside by break-glass; it signs nobody in
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # who makes a user has chosen the address
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True  # one address each; a new one counts once it was confirmed
ACCOUNT_EMAIL_CONFIRMATION_HMAC = True
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 1
ACCOUNT_EMAIL_NOTIFICATIONS = True  # somebody is told of each change to what protects their account
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody makes us write to strangers
ACCOUNT_RATE_LIMITS = {"invitation": "20/m/ip"}  # beside allauth's own: links of invitations that are tried
PASSWORD_RESET_TIMEOUT = 2 * 60 * 60
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
]
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60  # seconds in which what protects an account can be changed without more
# The second step (accounts/second_step.py). Who makes a user has chosen the address, so it need not be verified first.
MFA_ADAPTER = "accounts.second_step.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "add_webauthn": "accounts.passkeys.AddForm",
    "login_webauthn": "accounts.passkeys.LoginForm",
    "authenticate": "accounts.codes.AuthenticateForm",
    "reauthenticate": "accounts.codes.ReauthenticateForm",
    "authenticate_webauthn": "accounts.passkeys.AuthenticateForm",
    "reauthenticate_webauthn": "accounts.passkeys.ReauthenticateForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEVELOPMENT  # http://<municipality>.localhost
# A municipality's own provider (accounts/sign_on/): whose it is stands in its schema, not here.
SOCIALACCOUNT_ADAPTER = "accounts.sign_on.flow.SignOnAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an address finds nobody
SOCIALACCOUNT_STORE_TOKENS = False
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60  # a working day, and no longer

SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEVELOPMENT
SECURE_SSL_REDIRECT = not DEVELOPMENT
SECURE_PROXY_SSL_HEADER = None if DEVELOPMENT else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if DEVELOPMENT else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEVELOPMENT
X_FRAME_OPTIONS = "DENY"
# A cookie so named is taken by browsers only from this very host, over TLS and for all of it: no municipality, and no
# other service below BASE_DOMAIN, can set one for another.
SESSION_COOKIE_NAME = "session" if DEVELOPMENT else "__Host-session"
CSRF_COOKIE_NAME = "csrf" if DEVELOPMENT else "__Host-csrf"
# What pages may load and call: files and doors of their own host, and no script or style that stands in a page.
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/api/"],  # these say their own (api/middleware.py)
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": ["'self'"],
        "media-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    },
}
# Fields and bytes of a form; files are bounded where they are taken (messaging/media).
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 10
SECURITY_CONTACT = _value["SECURITY_CONTACT"]

# --- REST (api/views.py says the rest)
REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None, "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}

API_REQUESTS_OF_A_KEY = _value["API_REQUESTS_OF_A_KEY"]  # in a minute
API_REQUESTS_OF_A_HOST = _value["API_REQUESTS_OF_A_HOST"]

# --- Mail
_mail = _value["EMAIL_URL"] or {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
SENDS_MAIL = _value["EMAIL_URL"] is not None
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_FILE_PATH = _mail.get("EMAIL_FILE_PATH")
EMAIL_HOST = _mail.get("EMAIL_HOST", "")
EMAIL_PORT = _mail.get("EMAIL_PORT", 587)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
DEFAULT_FROM_EMAIL = _mail.get("DEFAULT_FROM_EMAIL", f"noreply@{BASE_DOMAIN}")
EMAIL_TIMEOUT = 10  # seconds

# --- Language and time
LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", "Nederlands"), ("en", "English")]
USE_TZ = True
TIME_ZONE = "Europe/Amsterdam"  # of pages; the database keeps UTC
LOCALE_PATHS = [ROOT / "config" / "locale"]

# --- Meta
META_GRAPH_URL = _value["META_GRAPH_URL"]
META_GRAPH_VERSION = _value["META_GRAPH_VERSION"]
META_APP_ID = _value["META_APP_ID"]
META_APP_SECRET = _value["META_APP_SECRET"]
META_VERIFY_TOKEN = _value["META_VERIFY_TOKEN"]
META_SYSTEM_TOKEN = _value["META_SYSTEM_TOKEN"]
META_CONFIG_ID = _value["META_CONFIG_ID"]
META_CREDIT_LINE_ID = _value["META_CREDIT_LINE_ID"]
META_SDK_URL = _value["META_SDK_URL"]

# --- Stripe: without a key nothing is collected
STRIPE_API_KEY = _value["STRIPE_API_KEY"]
STRIPE_API_BASE = _value["STRIPE_API_BASE"]
STRIPE_WEBHOOK_SECRET = _value["STRIPE_WEBHOOK_SECRET"]

# --- Seller, as printed on invoices
SELLER = {name: _value[f"SELLER_{name}"] for name in ("NAME", "KVK", "BTW", "IBAN", "ADDRESS", "EMAIL")}

# --- Work in the background
CELERY_BROKER_URL = _value["CELERY_BROKER_URL"]

# --- Observation: called by django.setup(), so that no process starts without it
LOGGING_CONFIG = "config.observation.configure"
METRICS_PORT = _value["METRICS_PORT"]
LOGGING = {"level": _value["LOG_LEVEL"], "sentry_dsn": _value["SENTRY_DSN"]}
