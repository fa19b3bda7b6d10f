"""Both Helms, installed once, and what the chart renders for each size."""

import pytest

from tests.helm import charts
from tests.helm.charts import CHART, LEAST, SIZES, Helm, Manifest, merged

# Values that switch on what the sizes leave off, and off what they leave on.
ODD = {
    "nothing but what is required": {},
    "everything optional": {
        "fullnameOverride": "wa",
        "image": {"digest": "sha256:" + "ab" * 32, "pullSecrets": ["registry"], "pullPolicy": "Always"},
        "secret": {"from": {"DATABASE_URL": {"name": "platform-db", "key": "uri"}}, "revision": "2"},
        "config": {"LOG_LEVEL": "WARNING", "INTAKE_CONNECTIONS": 4, "SELLER_KVK": "00000000"},
        "web": {"processes": 2, "autoscaling": {"enabled": True}},
        "intake": {"autoscaling": {"enabled": True}},
        "ingress": {
            "className": "traefik",
            "annotations": {"example/one": "1"},
            "webhookAnnotations": {"example/two": "2"},
            "consoleTLSSecret": "console-tls",
            "tenantsTLSSecret": "tenants-tls",
        },
        "metrics": {"podMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
        "networkPolicy": {
            "monitoring": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "destinations": {"database": {"to": [{"ipBlock": {"cidr": "10.1.2.0/24"}}]}},
        },
        "serviceAccount": {"annotations": {"example/three": "3"}},
        "pods": {
            "labels": {"team": "platform"},
            "annotations": {"example/four": "4"},
            "nodeSelector": {"pool": "apps"},
            "tolerations": [{"key": "apps", "operator": "Exists"}],
            "priorityClassName": "high",
        },
    },
    "everything off": {
        "ingress": {"enabled": False},
        "metrics": {"enabled": False},
        "networkPolicy": {"enabled": False, "ingressControllers": []},
        "serviceAccount": {"create": False, "name": "made-elsewhere"},
        "pods": {"runAsUser": None},
    },
}


@pytest.fixture(scope="session", params=["helm-newer", "helm-oldest"])
def each_helm(request, tmp_path_factory) -> Helm:
    """Give each Helm that the chart has to bear."""
    return Helm(charts.installed() / request.param / "bin" / "helm", tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def helm(tmp_path_factory) -> Helm:
    """Give the newer Helm."""
    return Helm(charts.installed() / "helm-newer" / "bin" / "helm", tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session", params=[*SIZES, *ODD])
def rendered(request, helm) -> list[Manifest]:
    """Give the objects of each size, and of odd values."""
    if request.param in SIZES:
        return helm.render(files=[CHART / request.param])
    return helm.render(values=merged(LEAST, ODD[request.param]))
