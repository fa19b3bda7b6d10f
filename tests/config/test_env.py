"""The environment: read whole, or refused with every problem named and no value repeated."""

import os
import re
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from config import env
from config.env import ROOT, VARIABLES, MisconfiguredEnvironment, read, storage_url
from tests.production import PRODUCTION

MALFORMED = {
    "DJANGO_SECRET_KEY": "kort-geheim",
    "FIELD_ENCRYPTION_KEYS": "geen-sleutel",
    "BASE_DOMAIN": "https://x.example/pad",
    "PORT": "achtduizend",
    "DATABASE_URL": "mysql://u:wachtwoord@db/x",
    "CELERY_BROKER_URL": "amqp://u:wachtwoord@mq/x",
    "INTAKE_CONNECTIONS": "0",
    "META_GRAPH_URL": "graph.facebook.com",
    "META_GRAPH_VERSION": "24",
    "STRIPE_API_BASE": "stripe",
    "SENTRY_DSN": "sleutel-at-sentry",
    "LOG_LEVEL": "LUID",
    "SANDBOX_PORT": "8100x",
}


def refusal(environ):
    with pytest.raises(MisconfiguredEnvironment) as caught:
        read(environ)
    return str(caught.value)


class TestProduction:
    def test_it_is_what_an_unset_environment_means(self):
        assert read(PRODUCTION)["ENVIRONMENT"] == "production"

    def test_it_accepts_the_required_variables_alone(self):
        values = read(PRODUCTION)
        assert values["PORT"] == 8000
        assert values["META_GRAPH_URL"] == "https://graph.facebook.com"
        assert values["STRIPE_API_KEY"] is None
        assert set(values) == {variable.name for variable in VARIABLES}

    def test_it_names_every_missing_variable_at_once(self):
        text = refusal({})
        assert {name for name in PRODUCTION if f"- {name} is not set" in text} == set(PRODUCTION)

    @pytest.mark.parametrize("name", sorted(PRODUCTION))
    def test_it_requires_each_of_them(self, name):
        text = refusal({**PRODUCTION, name: ""})
        assert text.count("\n  - ") == 1
        assert f"- {name} is not set" in text

    def test_it_names_every_malformed_variable_at_once_and_repeats_no_value(self):
        text = refusal({**PRODUCTION, **MALFORMED})
        assert [name for name in MALFORMED if f"- {name} " not in text] == []
        assert text.count("\n  - ") == len(MALFORMED)
        assert [value for value in MALFORMED.values() if len(value) > 4 and value in text] == []
        assert "wachtwoord" not in text

    @pytest.mark.parametrize("name", ["META_GRAPH_URL", "STRIPE_API_BASE"])
    def test_it_sends_no_secret_over_plain_http(self, name):
        assert f"{name} must start with https://" in refusal({**PRODUCTION, name: "http://127.0.0.1:8100"})

    def test_it_names_missing_and_malformed_together(self):
        text = refusal({**PRODUCTION, "META_APP_SECRET": "", "PORT": "x"})
        assert "META_APP_SECRET is not set" in text
        assert "PORT must be a whole number" in text

    def test_it_refuses_the_clock_file(self):
        assert "CLOCK_FILE is for development only" in refusal({**PRODUCTION, "CLOCK_FILE": "/tmp/clock"})

    def test_it_takes_no_default_of_development(self):
        needed = [variable for variable in VARIABLES if not variable.optional]
        defaults = {variable.name: variable.development for variable in needed if variable.development}
        assert defaults
        text = refusal({name: value for name, value in PRODUCTION.items() if name not in defaults})
        assert [name for name in defaults if f"- {name} is not set" not in text] == []

    def test_it_treats_an_unknown_environment_as_production(self):
        text = refusal({**PRODUCTION, "ENVIRONMENT": "test", "CLOCK_FILE": "/tmp/clock"})
        assert "ENVIRONMENT must be one of" in text
        assert "CLOCK_FILE is for development only" in text

    def test_it_ends_a_process_with_the_list_and_without_a_traceback(self, tmp_path):
        environ = {name: value for name, value in os.environ.items() if name not in {v.name for v in VARIABLES}}
        done = subprocess.run(
            [sys.executable, env.ROOT / "manage.py", "check"],
            env={**environ, "ENVIRONMENT": "production", "DATABASE_URL": "mysql://u:wachtwoord@db/x"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "DATABASE_URL must be written" in done.stderr
        assert "META_APP_SECRET is not set" in done.stderr
        assert "Traceback" not in done.stderr
        assert "wachtwoord" not in done.stderr


class TestDevelopment:
    def test_it_needs_no_domain_and_no_seller(self):
        given = {**PRODUCTION, "ENVIRONMENT": "development", "BASE_DOMAIN": "", "SELLER_NAME": ""}
        values = read(given)
        assert values["BASE_DOMAIN"] == "localhost"
        assert values["SELLER_NAME"]

    def test_it_accepts_the_clock_file(self):
        assert read({**PRODUCTION, "ENVIRONMENT": "development", "CLOCK_FILE": "/tmp/c"})["CLOCK_FILE"] == "/tmp/c"

    def test_it_still_requires_secrets(self):
        assert "DJANGO_SECRET_KEY is not set" in refusal({"ENVIRONMENT": "development"})


class TestParsing:
    def test_it_reads_several_keys_and_keeps_their_order(self):
        keys = [Fernet.generate_key().decode() for _ in range(3)]
        read_keys = read({**PRODUCTION, "FIELD_ENCRYPTION_KEYS": f"{keys[0]}, {keys[1]},{keys[2]},"})
        assert read_keys["FIELD_ENCRYPTION_KEYS"] == tuple(keys)

    def test_it_refuses_keys_of_which_one_is_none(self):
        keys = f"{Fernet.generate_key().decode()},kort"
        assert "FIELD_ENCRYPTION_KEYS must be Fernet keys" in refusal({**PRODUCTION, "FIELD_ENCRYPTION_KEYS": keys})

    @pytest.mark.parametrize("value", [" ", ",", " , "])
    def test_it_refuses_keys_that_are_none_at_all(self, value):
        assert "FIELD_ENCRYPTION_KEYS must hold" in refusal({**PRODUCTION, "FIELD_ENCRYPTION_KEYS": value})

    @pytest.mark.parametrize("value", ["24.0", "v24", "v24.", "v.0", "vx.0", "v24.0/", "latest"])
    def test_it_refuses_a_version_that_is_not_written_as_meta_does(self, value):
        assert "META_GRAPH_VERSION must be" in refusal({**PRODUCTION, "META_GRAPH_VERSION": value})

    @pytest.mark.parametrize("value", ["localhost:8000", "http://x.example", "x.example/y", "x y"])
    def test_it_refuses_a_domain_with_more_than_a_name(self, value):
        assert "BASE_DOMAIN must be" in refusal({**PRODUCTION, "BASE_DOMAIN": value})

    @pytest.mark.parametrize("value", ["postgresql:", "postgresql://", "postgresql:///", "redis"])
    def test_it_refuses_a_database_without_a_name(self, value):
        assert "DATABASE_URL must be" in refusal({**PRODUCTION, "DATABASE_URL": value})

    @pytest.mark.parametrize("value", ["http://", "https:///x", "https:x"])
    def test_it_refuses_an_address_without_a_host(self, value):
        assert "META_GRAPH_URL must be" in refusal({**PRODUCTION, "META_GRAPH_URL": value})

    @pytest.mark.parametrize("value", ["0", "65536", "99999999"])
    def test_it_refuses_a_port_that_is_none(self, value):
        assert "PORT must be" in refusal({**PRODUCTION, "PORT": value})

    def test_it_writes_domains_in_lower_case(self):
        assert read({**PRODUCTION, "BASE_DOMAIN": "Berichten.Example"})["BASE_DOMAIN"] == "berichten.example"


class TestTheList:
    def test_it_names_each_variable_once_in_a_known_group(self):
        names = [variable.name for variable in VARIABLES]
        assert len(names) == len(set(names))
        assert {variable.group for variable in VARIABLES} == set(env.GROUPS)

    def test_it_says_of_each_what_it_is_for(self):
        assert [variable.name for variable in VARIABLES if not variable.help.endswith(".")] == []

    def test_it_never_defaults_a_secret(self):
        assert [v.name for v in VARIABLES if v.secret and v.default] == []
        # In development a folder of this machine's, which is no secret; another place comes with its key.
        assert [v.name for v in VARIABLES if v.secret and v.development] == ["STORAGE_URL"]

    def test_it_names_what_the_procfile_reads(self):
        read = re.findall(r"\$\{(\w+):-(.+?)\}", (env.ROOT / "Procfile").read_text())
        defaults = {variable.name: variable.default for variable in VARIABLES}
        assert read
        assert {name: defaults[name] for name, _ in read} == dict(read)


class TestLocalEnvironment:
    @pytest.fixture
    def file(self, tmp_path, monkeypatch):
        monkeypatch.setattr(env, "LOCAL_ENV_FILE", tmp_path / "env")
        monkeypatch.delenv("ENVIRONMENT", raising=False)
        (tmp_path / "env").write_text("# of the demo\nENVIRONMENT=development\nDATABASE_URL=postgresql://a=b@h/d?x=1\n")

    def test_it_reads_what_the_demo_wrote_beside_what_is_set(self, file, monkeypatch):
        monkeypatch.setenv("LOG_LEVEL", "DEBUG")
        monkeypatch.delenv("DATABASE_URL", raising=False)
        found = env.local_environment()
        assert found["ENVIRONMENT"] == "development"
        assert found["DATABASE_URL"] == "postgresql://a=b@h/d?x=1"
        assert found["LOG_LEVEL"] == "DEBUG"

    def test_it_ignores_that_file_where_the_environment_is_named(self, file, monkeypatch):
        monkeypatch.setenv("ENVIRONMENT", "production")
        assert env.local_environment() is os.environ


class TestStorage:
    """STORAGE_URL."""

    def test_it_is_a_folder_beside_manage_py_or_anywhere(self):
        assert storage_url("file:var/media")["OPTIONS"]["location"] == str(ROOT / "var" / "media")
        assert storage_url("file:///srv/een%20map")["OPTIONS"]["location"] == "/srv/een map"

    def test_it_is_a_bucket(self):
        options = storage_url("s3://a%2Fb:c%40d@s3.example:9000/emmer/map/x?region=nl-1")["OPTIONS"]
        assert (options["endpoint_url"], options["bucket_name"], options["location"]) == (
            "https://s3.example:9000",
            "emmer",
            "map/x",
        )
        assert (options["access_key"], options["secret_key"], options["region_name"]) == ("a/b", "c@d", "nl-1")

    def test_it_may_leave_the_key_to_the_machines_role(self):
        options = storage_url("s3://s3.example/emmer?style=virtual")["OPTIONS"]
        assert (options["access_key"], options["secret_key"], options["addressing_style"]) == (None, None, "virtual")

    @pytest.mark.parametrize(
        "url",
        [
            "file:",
            "file://host/map",
            "/srv/media",
            "s3://geheim@s3.example",
            "s3://s3.example/?region=x",
            "s3://s3.example:geheim/emmer",
            "s3://s3.example/emmer?tls=misschien",
            "s3://s3.example/emmer?geheim=1",
            "s3://s3.example/emmer?geheim",
            "https://s3.example/emmer",
        ],
    )
    def test_it_refuses_what_is_neither_and_repeats_nothing(self, url):
        with pytest.raises(ValueError, match="must be written like") as refused:
            storage_url(url)
        assert "geheim" not in str(refused.value)
