"""The sizes: what their comments tell an operator to reserve is what their pods ask for and may open."""

import re

import pytest

from config.local.folders import ROOT
from messaging.management.commands import run_lanes
from tests.helm.charts import CHART, SIZES, of_kind

POOL = int(re.search(r'"max_size": (\d+)', (ROOT / "config" / "server.py").read_text())[1])
HELD_AND_ROUTES = 2  # beside INTAKE_CONNECTIONS: one flusher for locked partitions, one reader of the routing map


@pytest.fixture(params=SIZES)
def size(request):
    return CHART / request.param


@pytest.fixture
def manifests(helm, size):
    return helm.render(files=[size])


def replicas(manifests, deployment, *, most):
    name = deployment["metadata"]["name"]
    scaling = [
        each["spec"] for each in of_kind(manifests, "HorizontalPodAutoscaler") if each["metadata"]["name"] == name
    ]
    if scaling:
        return scaling[0]["maxReplicas" if most else "minReplicas"]
    return deployment["spec"]["replicas"]


def bytes_of(text):
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()
    return int(number) * {"Mi": 2**20, "Gi": 2**30}[unit]


def cores_of(text):
    return int(text.removesuffix("m")) / 1000 if str(text).endswith("m") else float(text)


def connections_of(container):
    command = " ".join(container["command"])
    variables = {each["name"]: each.get("value") for each in container["env"]}
    if "uvicorn" in command:
        writers = int(variables.get("INTAKE_CONNECTIONS") or 2)
        return int(re.search(r"--workers=(\d+)", command)[1]) * (POOL + writers + HELD_AND_ROUTES)
    if "worker" in command:
        return int(re.search(r"--concurrency=(\d+)", command)[1])
    if "serve_metrics" in command:
        return 0 if "--processes-only" in command else 1
    return run_lanes.DATABASE_CONNECTIONS if "run_lanes" in command else 0


def test_what_is_requested_is_what_the_file_says(manifests, size):
    cores = memory = 0.0
    for deployment in of_kind(manifests, "Deployment"):
        count = replicas(manifests, deployment, most=False)
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            cores += count * cores_of(container["resources"]["requests"]["cpu"])
            memory += count * bytes_of(container["resources"]["requests"]["memory"])
    assert f"# requests: {cores:.2f} cores, {memory / 2**30:.1f} GiB" in size.read_text()


def test_the_connections_are_what_the_file_says(manifests, size):
    deployments = of_kind(manifests, "Deployment")
    found = sum(
        replicas(manifests, each, most=True) * connections_of(each["spec"]["template"]["spec"]["containers"][0])
        for each in deployments
    )
    assert f"# database connections: at most {found}" in size.read_text()
