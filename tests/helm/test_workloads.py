"""The workloads are those of the Procfile, and their environment is that of config/env.py."""

import shlex
import tomllib

import pytest
import yaml

from config.env import VARIABLES, read
from config.local.folders import ROOT
from tests.helm.charts import CHART, LEAST, containers, of_kind, pods
from tests.production import SECRETS

# Where a workload listens is its own matter.
PLACES = {"--host"}
LOCAL_ONLY = {"sandbox"}
# Each queue has workers of its own: what comes in live never waits behind exports, deletion or sweeps.
OWN = {"worker-inbox": "inbox", "worker-media": "media", "worker-maintenance": "maintenance"}


def words(command):
    """Return program and arguments of a command, options with their values, one way of writing for both."""
    parts = shlex.split(command) if isinstance(command, str) else list(command)
    found: list[str] = []
    for part in parts:
        if found and found[-1].startswith("--") and "=" not in found[-1] and not part.startswith("-"):
            found[-1] += f"={part}"
        else:
            found.append(part)
    return found


def names(command):
    """Return the words without the values of options."""
    return {word.partition("=")[0] for word in words(command)} - PLACES


@pytest.fixture(scope="module")
def manifests(helm):
    return helm.render(values=LEAST)


@pytest.fixture(scope="module")
def commands(manifests):
    return {
        name.removeprefix("demo-"): pod["spec"]["containers"][0]["command"]
        for name, pod in pods(of_kind(manifests, "Deployment"))
    }


@pytest.fixture(scope="module")
def procfile():
    lines = (line.partition(":") for line in (ROOT / "Procfile").read_text().splitlines() if line.strip())
    return {name: command.strip() for name, _, command in lines}


def test_every_process_of_the_procfile_has_its_workload(procfile, commands):
    workloads = {"web": {"web", "intake"}}
    wanted = {workload for name in procfile if name not in LOCAL_ONLY for workload in workloads.get(name, {name})}
    assert wanted == set(commands)


@pytest.mark.parametrize(
    ("process", "workload"),
    [
        ("web", "web"),
        ("web", "intake"),
        ("worker-inbox", "worker-inbox"),
        ("worker-media", "worker-media"),
        ("worker-maintenance", "worker-maintenance"),
        ("beat", "beat"),
        ("sender", "sender"),
        ("metrics", "metrics"),
    ],
)
def test_a_workload_is_started_as_in_the_procfile(procfile, commands, process, workload):
    assert names(commands[workload]) == names(procfile[process])


def test_the_workers_share_no_queue_and_leave_none_out(procfile, commands):
    for started in (commands, procfile):
        assert {name: queue(command) for name, command in started.items() if name.startswith("worker-")} == OWN


def queue(command):
    """Return the queue that a worker takes from; it has one."""
    return " ".join(words(command)).replace("=", " ").partition("--queues ")[2].split()[0]


def test_every_task_has_a_worker():
    from config.celery import app

    used = {app.conf.task_default_queue} | {route["queue"] for route in app.conf.task_routes.values()}
    used |= {entry["options"].get("queue", app.conf.task_default_queue) for entry in app.conf.beat_schedule.values()}
    assert used <= set(OWN.values())


def test_each_component_gets_the_same_and_all_that_production_requires(manifests):
    required = {each.name for each in VARIABLES if not (each.optional or each.default or each.group == "Development")}
    for name, container in containers(manifests):
        given = [each["name"] for each in container["env"]]
        assert len(given) == len(set(given)), name
        assert required <= set(given), name


def test_every_secret_comes_from_the_secret_and_nothing_else_does(manifests):
    secret = {each.name: each for each in VARIABLES if each.secret}
    for name, container in containers(manifests):
        referred = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each}
        assert set(referred) == set(secret), f"{name}: bring helm/templates/_environment.tpl in line with config/env.py"
        for variable, place in referred.items():
            assert place.get("optional", False) is secret[variable].optional, variable
            assert (place["name"], place["key"]) == ("platform-secrets", variable)


def test_a_secret_may_lie_elsewhere(helm):
    elsewhere = {"name": "platform-db", "key": "uri"}
    rendered = helm.render(
        values={**LEAST, "secret": {"name": "platform-secrets", "from": {"DATABASE_URL": elsewhere}}}
    )
    for _, container in containers(rendered):
        places = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each}
        assert places["DATABASE_URL"] == elsewhere
        assert places["CELERY_BROKER_URL"]["name"] == "platform-secrets"


def test_nothing_is_set_that_nobody_reads(rendered):
    known = {each.name for each in VARIABLES if not each.development_only}
    for name, container in containers(rendered):
        assert {each["name"] for each in container["env"]} <= known, name


def test_the_platform_starts_with_what_the_chart_gives(rendered):
    for _, container in containers(rendered):
        given = {
            each["name"]: each["value"] if "value" in each else SECRETS.get(each["name"], "")
            for each in container["env"]
        }
        values = read(given)
        assert values["ENVIRONMENT"] == "production"
        assert values["PORT"] == 8000


def test_the_chart_is_of_the_version_of_the_platform():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
