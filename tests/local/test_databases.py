"""No database is dropped that was not made here, and a server that will not do is refused in one line."""

import os

import psycopg
import pytest

from config.local import databases, testing
from config.local.failure import SetupError


@pytest.fixture
def server():
    return os.environ[testing.SERVER]


@pytest.fixture
def name(server):
    name = os.environ[testing.TEMPLATE_PREFIX] + f"made_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    yield name
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')


class TestMake:
    def test_it_makes_an_empty_one_each_time(self, server, name):
        for _ in range(2):
            databases.make(server=server, name=name)
            with psycopg.connect(databases.with_name(url=server, name=name)) as connection:
                connection.execute("CREATE TABLE public.of_this_run ()")
                connection.commit()
        assert databases.listed(server=server)[name] is True

    def test_it_refuses_to_drop_what_was_not_made_here(self, server, name):
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        for attempt in (databases.make, databases.drop):
            with pytest.raises(SetupError, match="was not made by this set-up"):
                attempt(server=server, name=name)
        assert databases.listed(server=server)[name] is False


class TestCheckServer:
    def test_it_accepts_the_server_of_the_tests(self, server):
        databases.check_server(server=server)

    def test_it_refuses_one_that_is_too_old(self, server, monkeypatch):
        monkeypatch.setattr(databases, "OLDEST_SERVER", 990000)
        with pytest.raises(SetupError, match=r"PostgreSQL 17 or newer is needed, and the server of DATABASE_URL is 18"):
            databases.check_server(server=server)

    def test_it_refuses_a_user_who_may_not_make_databases(self, server):
        with psycopg.connect(server, autocommit=True) as connection:
            role = f"plain_{os.getpid()}"
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'plain'")
            try:
                parts = psycopg.conninfo.conninfo_to_dict(server)
                url = f"postgresql://{role}:plain@{parts['host']}:{parts['port']}/{parts['dbname']}"
                with pytest.raises(SetupError, match=f"ALTER ROLE {role} CREATEDB"):
                    databases.check_server(server=url)
            finally:
                connection.execute(f"DROP ROLE {role}")

    @pytest.mark.parametrize("url", ["postgresql://me:secretive@127.0.0.1:9/none", "postgresql://me:secretive@:x:y/"])
    def test_it_refuses_one_that_does_not_answer_without_repeating_the_password(self, url):
        with pytest.raises(SetupError) as refused:
            databases.check_server(server=url)
        assert "secretive" not in str(refused.value)
        assert "\n" not in str(refused.value)
