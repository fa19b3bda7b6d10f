"""Every environment variable of the platform, in one list.

`read` turns the environment into values, or refuses to start with one error that names every missing and
every malformed variable at once. The page docs/settings.md is made from the same list (`python -m config.docs`).
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parent.parent
LOCAL_ENV_FILE = ROOT / "var" / "demo" / "env"  # written by `make demo`, for commands beside a running demo

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


class MisconfiguredEnvironment(Exception):
    """The environment lacks variables or holds malformed ones; the text names each."""


def whole_number(value: str) -> int:
    """Return a whole number of zero or more.  Raises ValueError: it is none."""
    if not value.isascii() or not value.isdigit():
        raise ValueError("must be a whole number")
    return int(value)


def count(value: str) -> int:
    """Return a whole number of one or more.  Raises ValueError: it is none."""
    if not whole_number(value):
        raise ValueError("must be 1 or more")
    return int(value)


def port(value: str) -> int:
    """Return a TCP port.  Raises ValueError: it is none."""
    if not 1 <= whole_number(value) <= 65_535:
        raise ValueError("must be a port, 1 to 65535")
    return int(value)


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser that accepts only the given words."""

    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of: {', '.join(choices)}")
        return value

    return parse


def url_of(*schemes: str) -> Callable[[str], str]:
    """Return a parser that accepts only URLs of the given schemes, with a host."""

    def parse(value: str) -> str:
        try:
            parts = urlsplit(value)
            fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:  # its text would repeat what was written
            fits = False
        if not fits:
            starts = " or ".join(f"{scheme}://" for scheme in schemes)
            raise ValueError(f"must be a URL that starts with {starts} and names a host")
        return value

    return parse


def database_url(value: str) -> str:
    """Return a URL of PostgreSQL that names a database.  Raises ValueError: it is none."""
    try:
        fits = value.startswith(("postgresql://", "postgres://")) and bool(conninfo_to_dict(value).get("dbname"))
    except ProgrammingError:  # its text would repeat what was written
        fits = False
    if not fits:
        raise ValueError("must be written like postgresql://user:password@host:port/name")
    return value


def host_name(value: str) -> str:
    """Return a bare host name in lower case.  Raises ValueError: there is a scheme, port or path in it."""
    if not HOST_NAME.fullmatch(value.lower()):
        raise ValueError("must be a host name alone, without scheme, port or path")
    return value.lower()


def secret_key(value: str) -> str:
    """Return Django's secret key.  Raises ValueError: it is too short to be one."""
    if len(value) < 50:
        raise ValueError("must be at least 50 characters long")
    return value


def fernet_keys(value: str) -> tuple[str, ...]:
    """Return the keys, first one in use, the others for reading only.  Raises ValueError: one is no Fernet key."""
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    try:
        for key in keys:
            Fernet(key)
    except ValueError as error:
        raise ValueError("must be Fernet keys (32 bytes, URL-safe base64), separated by commas") from error
    if not keys:
        raise ValueError("must hold at least one key")
    return keys


def contact(value: str) -> str:
    """Return where people write or look, as security.txt takes it.  Raises ValueError: it is no such address."""
    if not re.fullmatch(r"mailto:[^@\s]+@[^@\s]+|https://\S+", value):
        raise ValueError("must be written like mailto:name@host or https://host/page")
    return value


def graph_version(value: str) -> str:
    """Return a Graph version such as v24.0.  Raises ValueError: it is not written so."""
    major, dot, minor = value.removeprefix("v").partition(".")
    if not (value.startswith("v") and dot and major.isdigit() and minor.isdigit()):
        raise ValueError("must be written like v24.0")
    return value


def storage_url(value: str) -> dict[str, Any]:
    """Return Django's storage of a URL: file: or s3:.  Raises ValueError: it is neither.

    file:///folder, or file:folder for one beside manage.py.
    s3://KEY:SECRET@HOST/BUCKET/PREFIX?region=…: key and secret percent-encoded, or left out where the machine has a
    role; `&tls=off` for a server without, `&style=virtual` for one that wants the bucket in the host's name.
    """
    parts = urlsplit(value)
    bucket, _, prefix = parts.path.strip("/").partition("/")
    try:
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        port = parts.port  # raises ValueError, whose text would repeat what was written
    except ValueError:
        options, bucket = {}, ""
        parts = parts._replace(scheme="")
    if parts.scheme == "file" and not parts.netloc and parts.path.strip("/") and not parts.query:
        folder = str(ROOT / unquote(parts.path))
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": _on_disk(folder)}
    known = {"region": {}, "tls": {"on", "off"}, "style": {"path", "virtual"}}
    fits = all(name in known and (not known[name] or word in known[name]) for name, word in options.items())
    if parts.scheme != "s3" or not parts.hostname or not bucket or not fits:
        raise ValueError("must be written like file:///folder or s3://key:secret@host/bucket?region=name")
    host = f"{parts.hostname}:{port}" if port else parts.hostname
    return {
        "BACKEND": "messaging.media.s3.PatientStorage",
        "OPTIONS": {
            "endpoint_url": f"{'http' if options.get('tls') == 'off' else 'https'}://{host}",
            "bucket_name": bucket,
            "location": prefix,
            "region_name": options.get("region"),
            "access_key": unquote(parts.username) if parts.username else None,
            "secret_key": unquote(parts.password) if parts.password else None,
            "addressing_style": options.get("style", "path"),
            "signature_version": "s3v4",
            # Names are random: one is never written twice, so it need not be asked whether it is taken.
            "file_overwrite": True,
            "default_acl": None,
            "max_memory_size": 1024 * 1024,  # of an object that is read; the rest of it waits in a file
        },
    }


def mail_url(value: str) -> dict[str, Any]:
    """Return Django's settings of mail of a URL: smtp: or file:.  Raises ValueError: it is neither.

    smtp://USER:PASSWORD@HOST:587?from=ADDRESS: by STARTTLS; `&tls=on` for a server that wants TLS at once (often port
    465), `&tls=off` for one without. file:///folder writes each mail into a folder, for development.
    """
    parts = urlsplit(value)
    try:
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        port = parts.port or 587  # raises ValueError, whose text would repeat what was written
    except ValueError:
        parts, options, port = parts._replace(scheme=""), {}, 0
    if parts.scheme == "file" and not parts.netloc and parts.path.strip("/") and not parts.query:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": str(ROOT / unquote(parts.path)),
        }
    tls = options.get("tls", "starttls")
    fits = set(options) <= {"from", "tls"} and tls in {"starttls", "on", "off"} and "@" in options.get("from", "@")
    if parts.scheme != "smtp" or not parts.hostname or not fits:
        raise ValueError("must be written like smtp://user:password@host:587?from=address or file:///folder")
    found = {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": tls == "starttls",
        "EMAIL_USE_SSL": tls == "on",
    }
    return found | ({"DEFAULT_FROM_EMAIL": options["from"]} if "from" in options else {})


def _on_disk(folder: str) -> dict[str, Any]:
    # For the platform's own user alone: what lies there is encrypted, and still nobody else's.
    return {"location": folder, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: what it is for, how it is read, and where it may be left out.

    default: used when it is not set, everywhere. development: used when it is not set, in development only.
    A variable with neither is required; `optional` ones are None when they are not set.
    """

    name: str
    group: str
    help: str
    parse: Callable[[str], Any] = str
    default: str | None = None
    development: str | None = None
    optional: bool = False
    secret: bool = False
    development_only: bool = False
    not_in_production: str = ""  # how a value begins that is for development only
    encrypted: bool = False  # a URL that must be https in production: what goes there is secret


GROUPS = ("Platform", "Storage and broker", "Meta", "Stripe", "Seller", "REST", "Observation", "Development")

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "ENVIRONMENT",
        "Platform",
        "Where this runs. Unset means production; `make demo` and `make test` set development.",
        one_of("production", "development"),
        default="production",
    ),
    Variable(
        "DJANGO_SECRET_KEY", "Platform", "Signs cookies and tokens; 50 characters or more.", secret_key, secret=True
    ),
    Variable(
        "FIELD_ENCRYPTION_KEYS",
        "Platform",
        "Fernet keys, separated by commas, that encrypt access tokens, tenants' keys and quarantined events at rest. "
        "The first encrypts; the others are only read, so that keys can be rotated.",
        fernet_keys,
        secret=True,
    ),
    Variable(
        "BASE_DOMAIN",
        "Platform",
        "Hosts are console.<BASE_DOMAIN> and <municipality>.<BASE_DOMAIN>.",
        host_name,
        development="localhost",
    ),
    Variable("PORT", "Platform", "Port of the web process.", port, default="8000"),
    Variable(
        "DATABASE_URL",
        "Storage and broker",
        "PostgreSQL 17 or newer: postgresql://user:password@host:port/name. The user makes schemas, and the role "
        "whatsapp_intake unless that exists already and is granted to it.",
        database_url,
        secret=True,
    ),
    Variable(
        "CELERY_BROKER_URL",
        "Storage and broker",
        "Redis: redis://:password@host:port/0. It holds nothing that may not be lost.",
        url_of("redis", "rediss"),
        secret=True,
    ),
    Variable(
        "INTAKE_CONNECTIONS",
        "Storage and broker",
        "Database connections with which each web process stores webhook events.",
        count,
        default="2",
    ),
    Variable(
        "META_GRAPH_URL",
        "Meta",
        "Where Meta's Cloud API is.",
        url_of("https", "http"),
        default="https://graph.facebook.com",
        encrypted=True,
    ),
    Variable("META_GRAPH_VERSION", "Meta", "Version of the Graph API that is called.", graph_version, default="v24.0"),
    Variable("META_APP_ID", "Meta", "Id of the BSP's app at Meta."),
    Variable("META_APP_SECRET", "Meta", "Signs Meta's webhooks.", secret=True),
    Variable(
        "META_VERIFY_TOKEN", "Meta", "The word that Meta sends when it verifies the webhook's address.", secret=True
    ),
    Variable("META_SYSTEM_TOKEN", "Meta", "The BSP's own system-user token.", secret=True),
    Variable("META_BUSINESS_ID", "Meta", "The BSP's business portfolio. Nothing reads it yet.", optional=True),
    Variable("META_CONFIG_ID", "Meta", "Configuration of Embedded Signup.", optional=True),
    Variable("META_CREDIT_LINE_ID", "Meta", "The credit line that is shared with municipalities.", optional=True),
    Variable(
        "META_SDK_URL",
        "Meta",
        "Facebook's script for Embedded Signup. Its host may run scripts on the console's page of connecting, and on no"
        " other page.",
        url_of("https", "http"),
        default="https://connect.facebook.net/nl_NL/sdk.js",
        encrypted=True,
    ),
    Variable(
        "STRIPE_API_KEY",
        "Stripe",
        "Without it nothing is collected and payments are booked by hand (docs/billing.md).",
        optional=True,
        secret=True,
    ),
    Variable(
        "STRIPE_API_BASE",
        "Stripe",
        "Where Stripe is; set only to reach an imitation.",
        url_of("https", "http"),
        optional=True,
        encrypted=True,
    ),
    Variable("STRIPE_WEBHOOK_SECRET", "Stripe", "Signs Stripe's webhooks.", optional=True, secret=True),
    Variable(
        "SELLER_NAME", "Seller", "Legal name of the BSP, as printed on invoices.", development="Voorbeeld BSP B.V."
    ),
    Variable("SELLER_KVK", "Seller", "Chamber of Commerce number of the BSP.", optional=True, development="12345678"),
    Variable("SELLER_BTW", "Seller", "VAT number of the BSP.", optional=True, development="NL001234567B01"),
    Variable("SELLER_IBAN", "Seller", "Bank account of the BSP.", optional=True, development="NL91ABNA0417164300"),
    Variable(
        "SELLER_ADDRESS",
        "Seller",
        "Street and number; postcode and city, separated by a semicolon.",
        optional=True,
        development="Voorbeeldstraat 1; 3511 AB Utrecht",
    ),
    Variable("SELLER_EMAIL", "Seller", "Where municipalities write about invoices.", optional=True),
    Variable(
        "SECURITY_CONTACT",
        "Platform",
        "Where a vulnerability is reported, as /.well-known/security.txt says: mailto: or https:. Unset: no such page.",
        contact,
        optional=True,
    ),
    Variable(
        "SENTRY_DSN",
        "Observation",
        "Where errors are reported, without personal data. Unset: nowhere.",
        url_of("https", "http"),
        optional=True,
        secret=True,
    ),
    Variable(
        "API_REQUESTS_OF_A_KEY",
        "REST",
        "Requests that one key of the REST API may make in a minute; more are answered 429.",
        count,
        default="3000",
    ),
    Variable(
        "API_REQUESTS_OF_A_HOST",
        "REST",
        "Requests that all keys of one municipality, or of the console, may make in a minute together.",
        count,
        default="6000",
    ),
    Variable(
        "METRICS_PORT", "Observation", "Port of `manage.py serve_metrics`, which serves /metrics.", port, default="9464"
    ),
    Variable(
        "PROMETHEUS_MULTIPROC_DIR",
        "Observation",
        "Folder in which web, worker and sender keep their counts for `manage.py serve_metrics`; each machine or pod "
        "has its own, empty at its start. Unset: they are not counted.",
        optional=True,
    ),
    Variable(
        "LOG_LEVEL", "Observation", "How much is logged.", one_of("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO"
    ),
    Variable(
        "STORAGE_URL",
        "Storage and broker",
        "Where media lie, each encrypted with its municipality's key: file:///folder, or an S3-compatible service by "
        "s3://KEY:SECRET@HOST/BUCKET/PREFIX?region=NAME (key and secret percent-encoded, or left out where the machine "
        "has a role; &tls=off, &style=virtual), for which the group s3 of pyproject.toml is installed, as in the "
        "image. Every web, media and maintenance process must reach the same place.",
        storage_url,
        development="file:var/media",
        secret=True,
    ),
    Variable(
        "EMAIL_URL",
        "Platform",
        "How mail leaves: smtp://USER:PASSWORD@HOST:587?from=ADDRESS (user and password percent-encoded; STARTTLS, or "
        "&tls=on from the first byte, or &tls=off). file:///folder keeps it in a folder, in development only. Unset: "
        "mail is not sent, and nobody can choose a new password by mail.",
        mail_url,
        optional=True,
        secret=True,
        not_in_production="file:",
    ),
    Variable(
        "FORWARDED_ALLOW_IPS",
        "Platform",
        "Addresses and networks of the proxies, separated by commas, whose X-Forwarded-For says where a request came "
        "from: the audit trail, IP ranges of API keys and limits of attempts go by it. Read by the web server.",
        default="127.0.0.1",
    ),
    Variable("WEB_CONCURRENCY", "Platform", "Processes of the web server.", count, default="2"),
    Variable("WORKER_CONCURRENCY", "Platform", "Processes that apply what citizens wrote.", count, default="2"),
    Variable("MEDIA_CONCURRENCY", "Platform", "Processes that fetch and send media.", count, default="1"),
    Variable("MAINTENANCE_CONCURRENCY", "Platform", "Processes for sweeps, exports and mail.", count, default="1"),
    Variable("BEAT_SCHEDULE", "Platform", "File in which beat keeps what it did last.", default="var/beat-schedule"),
    Variable("SANDBOX_PORT", "Development", "Port of the sandbox that imitates Meta.", port, default="8100"),
    Variable(
        "CLOCK_FILE",
        "Development",
        "File through which the sandbox moves the clock of every process. Refused in production.",
        optional=True,
        development_only=True,
    ),
)


def local_environment() -> Mapping[str, str]:
    """Return os.environ, or with it what `make demo` wrote when nobody said which environment this is."""
    if "ENVIRONMENT" in os.environ or not LOCAL_ENV_FILE.is_file():
        return os.environ
    lines = LOCAL_ENV_FILE.read_text().splitlines()
    written = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {**written, **os.environ}


def read(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of every variable by name.

    Raises MisconfiguredEnvironment: at least one is missing or malformed; values are never repeated in the text.
    """
    production = environ.get("ENVIRONMENT", "production") != "development"
    values: dict[str, Any] = {}
    problems: list[str] = []
    for variable in VARIABLES:
        given = environ.get(variable.name) or None
        if given is not None and variable.development_only and production:
            problems.append(f"{variable.name} is for development only: remove it")
            continue
        written = given or variable.default or (None if production else variable.development)
        if written is None:
            values[variable.name] = None
            if not variable.optional:
                problems.append(f"{variable.name} is not set: {variable.help}")
            continue
        try:
            values[variable.name] = variable.parse(written)
        except ValueError as error:
            problems.append(f"{variable.name} {error}")
            continue
        if production and variable.not_in_production and written.startswith(variable.not_in_production):
            problems.append(f"{variable.name} must not start with {variable.not_in_production} in production")
        if production and variable.encrypted and written.startswith("http://"):
            problems.append(f"{variable.name} must start with https:// in production")
    if problems:
        where = "production" if production else "development"
        lines = "\n".join(f"  - {problem}" for problem in problems)
        hint = "  (on your own machine: run `make demo` first)\n" if production and "ENVIRONMENT" not in environ else ""
        raise MisconfiguredEnvironment(
            f"the environment is not fit for {where}:\n{lines}\n{hint}docs/settings.md explains each."
        )
    return values
