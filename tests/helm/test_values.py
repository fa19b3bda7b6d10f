"""Values: each size is linted, and what is wrong is refused before anything is rendered."""

import json
import re

import pytest
import yaml

from config.env import VARIABLES
from tests.helm.charts import CHART, LEAST, SIZES, HelmRefused, merged
from tests.helm.conftest import ODD

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())


@pytest.mark.parametrize("size", SIZES)
def test_each_size_passes_the_strict_linter(each_helm, size):
    assert "0 chart(s) failed" in each_helm.lint(files=[CHART / size])


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_pass_the_strict_linter(each_helm, odd):
    assert "0 chart(s) failed" in each_helm.lint(values=merged(LEAST, ODD[odd]))


def test_both_helms_render_the_same(each_helm, helm):
    for size in SIZES:
        assert each_helm.render(files=[CHART / size]) == helm.render(files=[CHART / size])


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("web.replica", 2),
        ("webb", {}),
        ("web.replicas", 0),
        ("web.replicas", "two"),
        ("web.resources.requests.memory", "lots"),
        ("web.resources.limits.memory", None),
        ("web.autoscaling.enabled", "yes"),
        ("sender.terminationGracePeriodSeconds", 5),
        ("beat.replicas", 2),
        ("config.META_APP_ID", 1234567890123456),
        ("config.META_GRAPH_VERSION", "24"),
        ("config.META_GRAPH_URL", "http://graph.example"),
        ("config.BASE_DOMAIN", "https://whatsapp.example"),
        ("config.BASE_DOMAIN", "Whatsapp.example"),
        ("config.CLOCK_FILE", "/tmp/clock"),
        ("config.ENVIRONMENT", "development"),
        ("config.META_APP_SECRET", "not-here"),
        ("secret.DATABASE_URL", "postgresql://user:word@db/platform"),
        ("secret.from.DATABASE_URL", {"name": "db"}),
        ("secret.from.DATABASE", {"name": "db", "key": "uri"}),
        ("image.digest", "latest"),
        ("pods.runAsUser", 0),
        ("networkPolicy.ingressControllers", [{}]),
        ("networkPolicy.ingressControllers", [{"namespaceSelector": {}}]),
        ("networkPolicy.destinations.database.ports", []),
        ("ingress.trustedProxies", "*"),
    ],
)
def test_it_refuses_what_is_wrong(helm, place, value):
    wrong: object = value
    for key in reversed(place.split(".")):
        wrong = {key: wrong}
    helm.render(values=LEAST)
    with pytest.raises(HelmRefused, match=re.escape(place.rpartition(".")[2].split("[")[0])):
        helm.render(values=merged(LEAST, wrong))


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("secret.name", "secret.name"),
        ("image.repository", "image.repository"),
        ("config.BASE_DOMAIN", "config.BASE_DOMAIN"),
        ("config.META_APP_ID", "config.META_APP_ID"),
        ("config.SELLER_NAME", "config.SELLER_NAME"),
        ("networkPolicy.ingressControllers", "networkPolicy.ingressControllers"),
    ],
)
def test_it_refuses_to_go_without(each_helm, missing, said):
    room, name = missing.split(".")
    least = {key: {k: v for k, v in value.items() if (key, k) != (room, name)} for key, value in LEAST.items()}
    with pytest.raises(HelmRefused, match=re.escape(said)):
        each_helm.render(values=least)


def test_it_names_all_that_is_missing_at_once(helm):
    with pytest.raises(HelmRefused) as refused:
        helm.render()
    for name in ("secret.name", "image.repository", "BASE_DOMAIN", "META_APP_ID", "SELLER_NAME", "ingressControllers"):
        assert name in str(refused.value)


def test_it_refuses_a_kubernetes_that_is_too_old(helm):
    with pytest.raises(HelmRefused, match="kubeVersion"):
        helm.render(values=LEAST, kubernetes="1.28")


def _objects(schema):
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield schema
        for value in schema.values():
            yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)


def test_the_schema_refuses_unknown_names_everywhere():
    found = list(_objects(SCHEMA))
    assert len(found) > 20
    assert [sorted(each["properties"]) for each in found if each.get("additionalProperties") is not False] == []


def test_the_schema_and_the_values_know_the_same_rooms():
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)


def test_each_variable_that_is_no_secret_may_be_set():
    made_by_the_chart = {"ENVIRONMENT", "PORT", "METRICS_PORT", "PROMETHEUS_MULTIPROC_DIR", "FORWARDED_ALLOW_IPS"}
    # The commands of the workloads say these themselves.
    made_by_the_chart |= {"WEB_CONCURRENCY", "BEAT_SCHEDULE"}
    made_by_the_chart |= {f"{queue}_CONCURRENCY" for queue in ("WORKER", "MEDIA", "MAINTENANCE")}
    plain = {each.name for each in VARIABLES if not each.secret and each.group != "Development"} - made_by_the_chart
    assert set(SCHEMA["properties"]["config"]["properties"]) == plain, "bring helm/values.schema.json in line"


def test_each_required_variable_that_is_no_secret_is_required():
    required = {
        each.name
        for each in VARIABLES
        if not (each.secret or each.optional or each.default or each.group == "Development")
    }
    assert set(SCHEMA["properties"]["config"]["required"]) == required


def test_each_secret_may_lie_elsewhere():
    secrets = {each.name for each in VARIABLES if each.secret}
    assert set(SCHEMA["properties"]["secret"]["properties"]["from"]["properties"]) == secrets
