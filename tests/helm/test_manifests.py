"""Every object that the chart renders: valid for Kubernetes, and as hard as the house wants its pods."""

import re
from base64 import b64encode
from functools import cache

import kubernetes_validate
import pytest
import yaml

from config.bodies import FILES
from tests.helm.charts import (
    CHART,
    LEAST,
    NEWEST_KUBERNETES,
    OLDEST_KUBERNETES,
    SIZES,
    containers,
    merged,
    of_kind,
    pods,
)
from tests.helm.conftest import ODD

OWN_KINDS = {"PodMonitor"}  # of the Prometheus operator: Kubernetes has no schema of it


@pytest.fixture(scope="module", autouse=True)
def _schemas_read_once():
    """Read each schema of Kubernetes once: megabytes, which are read for every object otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kubernetes_validate.utils, "schema_contents", cache(kubernetes_validate.utils.schema_contents))
        yield


@pytest.mark.parametrize("version", [OLDEST_KUBERNETES, "1.33", NEWEST_KUBERNETES])
@pytest.mark.parametrize("values", [*SIZES, *ODD])
def test_every_object_is_valid(helm, values, version):
    files = [CHART / values] if values in SIZES else []
    manifests = helm.render(files=files, values=None if files else merged(LEAST, ODD[values]), kubernetes=version)
    assert len(manifests) > 15
    for manifest in manifests:
        if manifest["kind"] not in OWN_KINDS:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_the_validation_sees_what_is_wrong(helm):
    deployment = of_kind(helm.render(values=LEAST), "Deployment")[0]
    deployment["spec"]["replicas"] = "two"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, NEWEST_KUBERNETES, strict=True)


def test_no_object_comes_twice(rendered):
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered]
    assert len(names) == len(set(names))


def test_names_stay_within_what_kubernetes_takes(helm):
    long = helm.render(values=merged(LEAST, {"fullnameOverride": "a" * 40}))
    assert max(len(each["metadata"]["name"]) for each in long) <= 63


def test_no_pod_runs_as_root_or_with_rights(rendered):
    for name, pod in pods(rendered):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert all(set(volume) <= {"name", "emptyDir", "persistentVolumeClaim"} for volume in spec["volumes"]), name
    for name, container in containers(rendered):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_no_account_has_a_token(rendered):
    assert all(each["automountServiceAccountToken"] is False for each in of_kind(rendered, "ServiceAccount"))


def test_the_user_is_that_of_the_image(helm):
    user = re.search(r"(?m)^USER (\d+):(\d+)$", (CHART.parent / "Dockerfile").read_text())
    for _, pod in pods(helm.render(values=LEAST)):
        context = pod["spec"]["securityContext"]
        assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user.groups()


def test_every_container_is_bounded(rendered):
    for name, container in containers(rendered):
        resources = container["resources"]
        assert set(resources["requests"]) >= {"cpu", "memory", "ephemeral-storage"}, name
        assert set(resources["limits"]) >= {"memory", "ephemeral-storage"}, name
    for name, pod in pods(rendered):
        folders = [volume["emptyDir"] for volume in pod["spec"]["volumes"] if "emptyDir" in volume]
        assert all(folder.get("sizeLimit") for folder in folders), name


def test_media_lie_on_the_volume_that_is_named_and_else_where_the_secret_says(helm):
    claimed = helm.render(values=merged(LEAST, {"media": {"claim": "platform-media"}}))
    for name, pod in pods(claimed):
        claims = [
            each["persistentVolumeClaim"]["claimName"] for each in pod["spec"]["volumes"] if "emptyDir" not in each
        ]
        mounted = name.removeprefix("demo-") in {"web", "worker-media", "worker-maintenance"}
        assert claims == (["platform-media"] if mounted else []), name
        assert pod["spec"]["securityContext"].get("fsGroup") == (10001 if mounted else None), name
        for container in pod["spec"]["containers"]:
            places = {each["name"]: each.get("value") for each in container["env"]}
            assert places["STORAGE_URL"] == "file:///var/lib/media"
        if mounted:
            assert {"name": "media", "mountPath": "/var/lib/media"} in pod["spec"]["containers"][0]["volumeMounts"]
    for _, container in containers(helm.render(values=LEAST)):
        (place,) = [each for each in container["env"] if each["name"] == "STORAGE_URL"]
        assert "secretKeyRef" in place["valueFrom"]


def test_every_lasting_container_is_probed(rendered):
    deployments = of_kind(rendered, "Deployment")
    for name, container in containers(deployments):
        assert "startupProbe" in container, name
        assert "livenessProbe" in container, name
        if "ports" in container and any(port["name"] == "http" for port in container["ports"]):
            assert "readinessProbe" in container, name
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(kind)
            assert probe is None or probe["timeoutSeconds"] > 1, f"{name} {kind}: the default is shorter than a hiccup"


def test_whoever_is_asked_to_stop_is_given_the_time(rendered):
    for deployment in of_kind(rendered, "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        container = spec["containers"][0]
        graceful = [int(word.partition("=")[2]) for word in container["command"] if "graceful" in word]
        pause = int(container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [0, 0])[1])
        assert spec["terminationGracePeriodSeconds"] > pause + sum(graceful), deployment["metadata"]["name"]


def test_a_sender_may_finish_its_calls(rendered):
    from whatsapp import transport

    sender = next(pod for name, pod in pods(rendered) if name.endswith("-sender"))
    in_flight = transport.CONNECT_SECONDS + transport.TOTAL_SECONDS
    assert sender["spec"]["terminationGracePeriodSeconds"] > in_flight


def test_selectors_match_the_pods_and_no_others(rendered):
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(rendered)}
    for manifest in rendered:
        if manifest["kind"] == "Service":
            selector = manifest["spec"]["selector"]
        elif manifest["kind"] in {"Deployment", "PodDisruptionBudget"}:
            selector = manifest["spec"]["selector"]["matchLabels"]
        else:
            continue
        chosen = [name for name, found in labels.items() if selector.items() <= found.items()]
        assert chosen == [manifest["metadata"]["name"]], manifest["kind"]


def test_two_releases_do_not_choose_each_others_pods(helm):
    instance = "app.kubernetes.io/instance"
    for manifest in helm.render(values=LEAST):
        spec = manifest.get("spec", {})
        selectors = [spec.get("podSelector"), spec.get("selector")]
        for selector in filter(None, selectors):
            assert selector.get("matchLabels", selector)[instance] == "demo", manifest["metadata"]["name"]


def test_services_and_ingresses_lead_somewhere(rendered):
    ports: dict[str, set[str]] = {}
    for name, container in containers(rendered):
        ports.setdefault(name, set()).update(port["name"] for port in container.get("ports", []))
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(rendered, "Service")}
    for name, service in services.items():
        assert {port["targetPort"] for port in service["ports"]} <= ports[name]
    for ingress in of_kind(rendered, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                assert backend["port"]["name"] in {port["name"] for port in services[backend["name"]]["ports"]}


def test_only_metas_path_leads_to_intake(helm):
    from api.whatsapp_webhook import PATH

    ways = {
        (rule["host"], path["path"], path["pathType"], path["backend"]["service"]["name"])
        for ingress in of_kind(helm.render(values=LEAST), "Ingress")
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    assert ways == {
        (host, *way)
        for host in ("console.whatsapp.example", "*.whatsapp.example")
        for way in (("/", "Prefix", "demo-web"), (PATH, "Exact", "demo-intake"))
    }


def test_scaling_by_itself_and_a_fixed_number_exclude_each_other(rendered):
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind(rendered, "HorizontalPodAutoscaler")}
    for deployment in of_kind(rendered, "Deployment"):
        assert ("replicas" in deployment["spec"]) is (deployment["metadata"]["name"] not in scaled)


def test_no_budget_keeps_a_node_from_being_emptied(rendered):
    budgets = of_kind(rendered, "PodDisruptionBudget")
    assert {each["metadata"]["name"] for each in budgets} == {
        each["metadata"]["name"] for each in of_kind(rendered, "Deployment")
    }
    assert all(each["spec"].get("maxUnavailable") == 1 and "minAvailable" not in each["spec"] for each in budgets)


def test_no_secret_is_written_out(helm):
    words = {"name": "platform-secrets", "revision": "second"}
    manifests = helm.render(values=merged(LEAST, {"secret": words}))
    assert of_kind(manifests, "Secret") == []
    assert of_kind(manifests, "ConfigMap") == []
    text = yaml.safe_dump(manifests)
    assert "://" not in text.replace("http://", "")  # no address with a password in it
    assert b64encode(b"platform-secrets").decode() not in text


def test_there_is_never_a_second_beat(rendered):
    beat = next(each for each in of_kind(rendered, "Deployment") if each["metadata"]["name"].endswith("-beat"))
    assert beat["spec"]["replicas"] == 1
    assert beat["spec"]["strategy"] == {"type": "Recreate"}


def test_the_schemas_are_migrated_before_anything_starts(rendered):
    job = of_kind(rendered, "Job")
    assert len(job) == 1
    hooks = [each for each in rendered if "helm.sh/hook" in each["metadata"].get("annotations", {})]
    needed = {"Job", "ServiceAccount"} | ({"NetworkPolicy"} if of_kind(rendered, "NetworkPolicy") else set())
    assert {each["kind"] for each in hooks} == needed
    for hook in hooks:
        annotations = hook["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert (int(annotations["helm.sh/hook-weight"]) < 0) is (hook["kind"] != "Job")
    account = job[0]["spec"]["template"]["spec"]["serviceAccountName"]
    assert account in {each["metadata"]["name"] for each in hooks if each["kind"] == "ServiceAccount"}


def test_another_word_for_the_secrets_replaces_every_pod(helm):
    def templates(revision):
        return dict(pods(helm.render(values=merged(LEAST, {"secret": {"revision": revision}}))))

    before, after = templates("1"), templates("2")
    assert all(before[name] != after[name] for name in before)
    assert templates("1") == before


@pytest.mark.parametrize("values", SIZES)
def test_the_web_bears_two_of_the_largest_files_at_a_time(helm, values):
    (web,) = [pod for name, pod in pods(helm.render(files=[CHART / values])) if name.endswith("-web")]
    limits = web["spec"]["containers"][0]["resources"]["limits"]
    largest = max(most for _path, most in FILES)
    assert _bytes(limits["ephemeral-storage"]) >= 4 * largest  # each as it came, and encrypted
    assert _bytes(limits["memory"]) >= 4 * largest + 400 * 1024**2  # each as read and in a form, beside the platform


def _bytes(quantity):
    units = {"Mi": 1024**2, "Gi": 1024**3}
    return int(quantity[:-2]) * units[quantity[-2:]]
