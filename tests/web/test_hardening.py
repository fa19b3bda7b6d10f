"""What every page says to the browser that shows it, and what is said to who finds a hole."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client

from tests.production import PRODUCTION
from tests.web.conftest import HOSTS

PAGES = [("public", "/sign-in/"), ("utrecht", "/sign-in/"), ("utrecht", "/geen-pagina/"), ("public", "/geen-pagina/")]


def in_production(code: str) -> str:
    """Run a management command or code with the settings of production, and return what it printed."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(settings.ROOT), "ENVIRONMENT": "production", **PRODUCTION}
    command = [sys.executable, "-c", f"import django, config.settings as s; {code}"]
    done = subprocess.run(
        command,
        cwd=settings.ROOT,
        env={**environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("schema", "path"), PAGES)
def test_a_page_loads_nothing_but_files_of_its_own_host(schema, path, utrecht):
    answer = Client(headers={"host": HOSTS[schema]}).get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";") if part.strip())
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def test_no_page_holds_a_script_or_a_style_of_its_own():
    guilty = []
    for template in (settings.ROOT / "web" / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        guilty += [
            template.name
            for mark in (" style=", "<style", "<script>", " onclick=", "hx-on", "javascript:")
            if mark in text
        ]
    assert guilty == []


def test_in_production_a_cookie_belongs_to_one_host_over_tls():
    printed = in_production(
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " getattr(s, 'SESSION_COOKIE_DOMAIN', None), s.SECURE_HSTS_SECONDS)"
    )
    assert printed.split() == ["__Host-session", "__Host-csrf", "True", "True", "None", "31536000"]


def test_djangos_own_check_of_a_production_finds_nothing():
    printed = in_production(
        "django.setup(); from django.core.management import call_command;"
        " call_command('check', deploy=True, fail_level='WARNING')"
    )
    assert "no issues" in printed


class TestSecurityTxt:
    @pytest.mark.parametrize("schema", ["public", "utrecht"])
    def test_it_says_where_to_report_and_until_when(self, schema, settings, utrecht):
        settings.SECURITY_CONTACT = "mailto:veilig@bsp.example"
        answer = Client(headers={"host": HOSTS[schema]}).get("/.well-known/security.txt")
        said = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert said["Contact"] == "mailto:veilig@bsp.example"
        left = datetime.fromisoformat(said["Expires"]) - datetime.now(UTC)
        assert timedelta(days=170) < left < timedelta(days=365)
        assert said["Canonical"].endswith("/.well-known/security.txt")

    def test_without_a_contact_there_is_none(self, settings, utrecht):
        settings.SECURITY_CONTACT = None
        assert Client(headers={"host": HOSTS["utrecht"]}).get("/.well-known/security.txt").status_code == 404
