"""A cluster of one's own survives whatever is killed, and answers to nobody without its password."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from config.local.folders import ROOT
from config.local.postgres import PostgresCluster
from config.local.redis import RedisServer

from .conftest import lives, until

STARTER = """
import sys, time
from pathlib import Path
from config.local.postgres import PostgresCluster
cluster = PostgresCluster(Path(sys.argv[1]), durable=False)
cluster.start()
print(cluster.process.pid, flush=True)
time.sleep(60)
"""


def _value(cluster, query):
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        return connection.execute(query).fetchone()[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of one cluster, made once for all tests here."""
    return tmp_path_factory.mktemp("postgres")


@pytest.fixture
def cluster(folder):
    cluster = PostgresCluster(folder, durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


class TestSafety:
    def test_it_refuses_a_wrong_password(self, cluster):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(cluster.url(), password="guess")

    def test_it_keeps_its_password_from_other_users(self, cluster):
        assert (cluster.folder / "postgres.password").stat().st_mode & 0o077 == 0

    def test_it_never_runs_as_root(self, cluster):
        assert Path(f"/proc/{cluster.process.pid}").stat().st_uid != 0

    def test_it_logs_no_value_of_a_row(self, cluster):
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute("CREATE TEMP TABLE said (words text PRIMARY KEY)")
            for _ in range(2):
                with contextlib.suppress(psycopg.errors.UniqueViolation):
                    connection.execute("INSERT INTO said VALUES ('my roof leaks')")
        log = (cluster.folder / "postgres.log").read_text()
        assert "duplicate key" in log
        assert "roof" not in log

    def test_it_folds_accents_in_utf8(self, cluster):
        assert _value(cluster, "SELECT upper('súdwest') || current_setting('server_encoding')") == "SÚDWESTUTF8"

    def test_it_has_room_for_the_locks_of_many_tables(self, cluster):
        assert int(_value(cluster, "SHOW max_locks_per_transaction")) >= 1024


class TestSurvival:
    def test_it_keeps_what_was_committed_when_it_is_killed(self, folder):
        durable = PostgresCluster(folder)
        durable.start()
        try:
            with psycopg.connect(durable.url(), autocommit=True) as connection:
                connection.execute("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 7 AS number")
                durable.kill()
            durable.start()
            assert _value(durable, "SELECT number FROM kept") == 7
        finally:
            durable.stop()

    def test_it_comes_back_at_the_same_port(self, cluster):
        before = cluster.port
        cluster.kill()
        cluster.start()
        assert (cluster.port, _value(cluster, "SELECT 1")) == (before, 1)

    def test_it_ends_with_its_starter_and_can_be_started_again(self, folder):
        starter = subprocess.Popen([sys.executable, "-c", STARTER, folder], stdout=subprocess.PIPE, cwd=ROOT)
        postmaster = int(starter.stdout.readline())
        starter.send_signal(signal.SIGKILL)
        starter.communicate()
        again = PostgresCluster(folder, durable=False)
        again.start()  # at once, while the old one may still be ending
        try:
            assert not lives(postmaster)
            assert _value(again, "SELECT 1") == 1
        finally:
            again.stop()

    def test_it_stops_one_that_still_runs_from_before(self, folder):
        before = PostgresCluster(folder, durable=False)
        before.start()
        old = before.process
        again = PostgresCluster(folder, durable=False)
        try:
            again.start()
            assert old.poll() is not None
            assert _value(again, "SELECT 1") == 1
        finally:
            again.stop()

    def test_it_takes_a_lock_file_of_another_program_for_stale(self, folder):
        before = PostgresCluster(folder, durable=False)
        before.start()  # else there would be no folder yet where this test is the first
        before.stop()
        lock = folder / "cluster" / "data" / "postmaster.pid"
        lock.write_text(f"{os.getpid()}\n{lock.parent}\n0\n1\n\n127.0.0.1\n0\nready\n")
        again = PostgresCluster(folder, durable=False)
        again.start()
        try:
            assert _value(again, "SELECT 1") == 1
        finally:
            again.stop()

    def test_it_makes_a_cluster_anew_that_was_left_half_made(self, tmp_path):
        half = tmp_path / "cluster" / "data.new"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")
        cluster = PostgresCluster(tmp_path, durable=False)
        cluster.start()
        try:
            assert _value(cluster, "SELECT 1") == 1
            assert not half.exists()
        finally:
            cluster.stop()


class TestRedis:
    def test_it_answers_only_to_its_password_and_comes_back_at_the_same_port(self, tmp_path):
        import redis

        server = RedisServer(tmp_path)
        server.start()
        try:
            assert redis.Redis.from_url(server.url()).ping()
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(port=server.port).ping()
            port, pid = server.port, server.process.pid
            server.kill()
            assert until(lambda: not lives(pid))
            server.start()
            assert server.port == port
            assert redis.Redis.from_url(server.url(3)).ping()
        finally:
            server.stop()
