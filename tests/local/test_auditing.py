"""`make audit` never takes for good news what it could not look up; asked of the real programs."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from config.local import auditing
from config.local.folders import ROOT

LOCK = "six==1.17.0 --hash=sha256:" + "0" * 64 + "\nidna==3.10 --hash=sha256:" + "1" * 64 + "\n"
WEAK = {"id": "PYSEC-0000-1", "modified": "2026-01-01T00:00:00Z", "summary": "x", "aliases": []}
WEAK["affected"] = [
    {
        "package": {"name": "idna", "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.11"}]}],
        "versions": ["3.10"],
    }
]


@pytest.fixture
def service():
    """Return the address of a service that knows of one weakness, spoken to as OSV is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = json.dumps({"vulns": [WEAK]} if asked["package"]["name"] == "idna" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    server.shutdown()
    server.server_close()


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "lock.txt"
    path.write_text(LOCK)
    return path


def ask(lock, address):
    return auditing.of_python(arguments=["--vulnerability-service", "osv", "--osv-url", address], lock=lock)


def test_a_weakness_that_is_known_is_named_with_what_mends_it(lock, service):
    found = ask(lock, service)
    assert found.weak == ("idna 3.10: PYSEC-0000-1, mended in 3.11",)
    assert (found.asked, found.skipped) == (2, 0)
    assert found.sentence().split()[:2] == ["Python", "FAILED"]


def test_where_none_is_known_all_were_looked_up(tmp_path, service):
    path = tmp_path / "lock.txt"
    path.write_text(LOCK.splitlines()[0] + "\n")
    assert ask(path, service).sentence() == "Python  ok       0 weaknesses known, 1 packages looked up"


def test_a_service_that_is_away_is_said_and_no_good_news(lock):
    found = ask(lock, "http://127.0.0.1:1/v1/query")
    assert not found.is_whole
    assert "SKIPPED" in found.sentence()
    assert "all not: " in found.sentence()


def test_packages_that_a_service_does_not_know_are_counted():
    said = {
        "dependencies": [
            {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited: six (1.17.0)"},
            {"name": "idna", "version": "3.10", "vulns": []},
        ],
        "fixes": [],
    }
    found = auditing.judge_python(said)
    assert (found.asked, found.skipped, found.is_whole) == (1, 1, False)
    assert "SKIPPED" in found.sentence()


@pytest.mark.parametrize("said", [{}, {"message": "405 Method Not Allowed", "statusCode": 405}, {"error": {}}])
def test_an_answer_of_npms_without_a_count_is_no_good_news(said):
    assert "SKIPPED" in auditing.judge_pages(said).sentence()


def test_what_npm_knows_is_named():
    said = {
        "vulnerabilities": {"htmx.org": {"range": "<2.0.5", "severity": "high"}},
        "metadata": {"dependencies": {"total": 20}},
    }
    assert auditing.judge_pages(said).weak == ("htmx.org <2.0.5: high",)
    assert auditing.judge_pages({**said, "vulnerabilities": {}}).is_whole


def test_what_was_skipped_fails_where_that_is_asked_for():
    command = [sys.executable, "-m", "config.local", "audit", "-s", "osv", "--osv-url", "http://127.0.0.1:1/"]
    nobody = {"npm_config_registry": "http://127.0.0.1:1/", "npm_config_fetch_retries": "0"}
    environ = {**os.environ, "PATH": "/nowhere", **nobody}
    codes = []
    for more in ({}, {"AUDIT": "strict"}):
        done = subprocess.run(command, cwd=ROOT, env=environ | more, capture_output=True, text=True, check=False)
        assert done.stdout.count("SKIPPED") == 2, done.stdout + done.stderr
        codes.append(done.returncode)
    assert codes == [0, 2]
