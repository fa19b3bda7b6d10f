"""The switchboard: settings, environment, Celery, addresses, the ASGI entry. Nobody imports it."""

VERSION = "0.1.0"  # as in pyproject.toml and CHANGELOG.md
