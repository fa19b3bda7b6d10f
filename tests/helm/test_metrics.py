"""What Prometheus reads: a port for each process that counts, and nobody else's way to it."""

import re

from api.metrics import FOLDER
from config.local.folders import ROOT
from tests.helm.charts import LEAST, merged, of_kind, pods
from tests.helm.test_network import COMPONENT

MONITORING = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


def measured(manifests):
    """Return the ports called metrics, by workload."""
    return {
        name.removeprefix("demo-"): [
            port["containerPort"]
            for container in pod["spec"]["containers"]
            for port in container.get("ports", [])
            if port["name"] == "metrics"
        ]
        for name, pod in pods(of_kind(manifests, "Deployment"))
    }


def test_each_process_that_counts_is_read_once(helm):
    assert measured(helm.render(values=LEAST)) == {
        "beat": [],
        **{
            name: [9464]
            for name in ("web", "intake", "worker-inbox", "worker-media", "worker-maintenance", "sender", "metrics")
        },
    }


def test_the_port_is_the_one_it_listens_on(helm):
    for name, pod in pods(helm.render(values=LEAST)):
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []):
                if port["name"] == "metrics":
                    variables = {each["name"]: each.get("value") for each in container["env"]}
                    assert variables["METRICS_PORT"] == str(port["containerPort"]), name


def test_a_process_and_the_server_of_its_counts_share_a_folder_that_is_there(helm):
    for name, pod in pods(of_kind(helm.render(values=LEAST), "Deployment")):
        containers = {each["name"]: each for each in pod["spec"]["containers"]}
        folders = {}
        for each in containers.values():
            folder = next((one["value"] for one in each["env"] if one["name"] == FOLDER), None)
            if folder is not None:
                mount = next(one["name"] for one in each["volumeMounts"] if one["mountPath"] == folder)
                folders[each["name"]] = mount
        shared = {name.removeprefix("demo-"): "metrics", "counts": "metrics"}
        assert folders == (shared if "counts" in containers else {}), name


def test_only_one_asks_the_database(helm):
    asking = [
        name
        for name, pod in pods(helm.render(values=LEAST))
        for container in pod["spec"]["containers"]
        if "serve_metrics" in container["command"] and "--processes-only" not in container["command"]
    ]
    assert asking == ["demo-metrics"]
    deployment = next(
        each for each in of_kind(helm.render(values=LEAST), "Deployment") if each["metadata"]["name"] == "demo-metrics"
    )
    assert deployment["spec"]["replicas"] == 1


def test_the_options_of_the_exporter_exist():
    command = (ROOT / "api" / "management" / "commands" / "serve_metrics.py").read_text()
    assert set(re.findall(r'"(--[a-z-]+)"', command)) >= {"--host", "--processes-only"}


def test_nobody_reads_the_metrics_unless_said(helm):
    for policy in of_kind(helm.render(values=LEAST), "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            assert {port["port"] for port in rule["ports"]} == {"http"}


def test_monitoring_reaches_the_metrics_and_nothing_else(helm):
    values = merged(LEAST, {"networkPolicy": {"monitoring": MONITORING}})
    reached = {}
    for policy in of_kind(helm.render(values=values), "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            if rule["from"] == MONITORING:
                reached[policy["spec"]["podSelector"]["matchLabels"][COMPONENT]] = rule["ports"]
    port = [{"protocol": "TCP", "port": "metrics"}]
    assert reached == dict.fromkeys(
        ("web", "intake", "worker-inbox", "worker-media", "worker-maintenance", "sender", "metrics"), port
    )


def test_a_pod_monitor_chooses_every_pod_of_the_release(helm):
    manifests = helm.render(values=merged(LEAST, {"metrics": {"podMonitor": {"enabled": True, "labels": {"a": "b"}}}}))
    (monitor,) = of_kind(manifests, "PodMonitor")
    assert monitor["metadata"]["labels"]["a"] == "b"
    chosen = monitor["spec"]["selector"]["matchLabels"]
    assert all(chosen.items() <= pod["metadata"]["labels"].items() for _, pod in pods(manifests))
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")


def test_switched_off_nothing_of_it_is_left(helm):
    manifests = helm.render(values=merged(LEAST, {"metrics": {"enabled": False}}))
    assert not any(measured(manifests).values())
    assert FOLDER not in str(manifests)
    assert not [each for each in manifests if each["metadata"]["name"].endswith("-metrics")]
