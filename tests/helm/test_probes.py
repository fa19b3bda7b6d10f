"""The commands and probes of the chart, run for real: who works passes, who hangs does not.

What is the container's own (its port, /tmp, being process 1) is put in place of the chart's; nothing else is changed.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.metrics import FOLDER
from config.local.folders import ROOT
from tests.helm.charts import LEAST, of_kind, pods
from tests.production import SECRETS

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def workloads(helm):
    """Return the containers of each workload, by its name and theirs."""
    deployments = of_kind(helm.render(values=LEAST), "Deployment")
    return {
        name.removeprefix("demo-"): {each["name"]: each for each in pod["spec"]["containers"]}
        for name, pod in pods(deployments)
    }


def environ_of(container, *, database_url, folder, **more):
    """Return the environment that the container has in production, with secrets and a folder of counts filled in."""
    secrets = {
        **SECRETS,
        "FIELD_ENCRYPTION_KEYS": os.environ["FIELD_ENCRYPTION_KEYS"],
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"],
        "STORAGE_URL": os.environ["STORAGE_URL"],
    }
    given = {each["name"]: each.get("value", secrets.get(each["name"])) for each in container["env"]}
    if FOLDER in given:
        given[FOLDER] = str(folder)
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOSTNAME": socket.gethostname(),
        **{name: value for name, value in given.items() if value is not None},
        **more,
    }


@contextmanager
def running(command, environ) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail("it did not end when asked to")


def passes(command, environ):
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, timeout=60, check=False).returncode == 0


def wait_for(question, process):
    until = time.monotonic() + PATIENCE_SECONDS
    while not question():
        assert process.poll() is None, process.stderr.read().decode()[-2000:]
        assert time.monotonic() < until, "it never passed its probe"
        time.sleep(0.3)


def halt(process):
    """Stop it as a hang would, and wait until it stands."""
    process.send_signal(signal.SIGSTOP)
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.01)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def status(url, **headers):
    class Unfollowed(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.build_opener(Unfollowed).open(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def test_a_worker_that_hangs_is_found(workloads, committing_db, tmp_path):
    container = workloads["worker-inbox"]["worker-inbox"]
    other = workloads["worker-maintenance"]["worker-maintenance"]
    for probe in ("startupProbe", "livenessProbe"):
        assert str(other[probe]).replace("maintenance@", "inbox@") == str(container[probe])
    environ = environ_of(container, database_url=committing_db.url, folder=tmp_path)
    probe = container["livenessProbe"]["exec"]["command"]
    assert container["startupProbe"]["exec"]["command"] == probe
    with running(container["command"], environ) as worker:
        wait_for(lambda: passes(probe, environ), worker)
        halt(worker)
        quick = [part.replace("--timeout 10", "--timeout 2") for part in probe]
        assert quick != probe
        assert not passes(quick, environ)
        worker.send_signal(signal.SIGCONT)
        wait_for(lambda: passes(quick, environ), worker)


def test_a_beat_that_hangs_is_found(workloads, committing_db, tmp_path):
    container = workloads["beat"]["beat"]
    environ = environ_of(container, database_url=committing_db.url, folder=tmp_path)
    probe = [part.replace("/tmp", str(tmp_path)) for part in container["livenessProbe"]["exec"]["command"]]
    command = [part.replace("/tmp", str(tmp_path)) for part in container["command"]]
    assert not passes(probe, environ)
    with running(command, environ) as beat:
        wait_for(lambda: passes(probe, environ), beat)
        halt(beat)
        long_ago = time.time() - 11 * 60
        for file in tmp_path.iterdir():
            os.utime(file, (long_ago, long_ago))
        assert not passes(probe, environ)


def test_beat_writes_its_schedule_more_often_than_it_is_asked_for():
    from celery.beat import Scheduler

    assert Scheduler.sync_every * 3 < 10 * 60


@pytest.mark.parametrize("database", ["there", "away"])
def test_a_sender_that_hangs_is_found(workloads, committing_db, tmp_path, database):
    container = workloads["sender"]["sender"]
    url = committing_db.url if database == "there" else "postgresql://nobody@127.0.0.1:9/none"
    environ = environ_of(container, database_url=url, folder=tmp_path)
    with running(container["command"], environ) as sender:
        probe = [
            part.replace("/proc/1/", f"/proc/{sender.pid}/") for part in container["livenessProbe"]["exec"]["command"]
        ]
        if database == "there":
            probe = [part.replace("sleep 7", "sleep 1") for part in probe]
        wait_for(lambda: passes(probe, environ), sender)
        halt(sender)
        assert not passes([part.replace("sleep 7", "sleep 1") for part in probe], environ)


@pytest.mark.parametrize("workload", ["web", "intake"])
def test_the_doors_open_in_production(workloads, committing_db, tmp_path, workload):
    container = workloads[workload][workload]
    port = free_port()
    command = [
        part.replace("--port=8000", f"--port={port}").replace("0.0.0.0", "127.0.0.1") for part in container["command"]
    ]
    with running(command, environ_of(container, database_url=committing_db.url, folder=tmp_path)) as server:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            address = f"http://127.0.0.1:{port}{container[probe]['httpGet']['path']}"
            wait_for(lambda address=address: status(address) == 200, server)
        console = {"Host": "console.whatsapp.example"}
        address = f"http://127.0.0.1:{port}/nobody-has-this"
        assert status(address, **console) == 301, "without TLS everybody is sent to https"
        assert status(address, **console, **{"X-Forwarded-Proto": "https"}) == 404


@pytest.mark.parametrize("name", ["counts", "metrics"])
def test_the_metrics_are_served(workloads, committing_db, tmp_path, name):
    container = workloads["metrics" if name == "metrics" else "web"][name]
    port = free_port()
    environ = environ_of(container, database_url=committing_db.url, folder=tmp_path, METRICS_PORT=str(port))
    command = [part.replace("0.0.0.0", "127.0.0.1") for part in container["command"]]
    with running(command, environ) as server:
        path = container["livenessProbe"]["httpGet"]["path"]
        wait_for(lambda: status(f"http://127.0.0.1:{port}{path}") == 200, server)
