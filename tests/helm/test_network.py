"""NetworkPolicies: everything is refused, and each component is given what it needs and no more."""

from ipaddress import ip_address, ip_network

import pytest

from tests.helm.charts import LEAST, merged, of_kind, pods

COMPONENT = "app.kubernetes.io/component"
INSIDE = ("10.1.2.3", "172.20.0.1", "192.168.1.1", "169.254.169.254", "100.100.1.1", "fd00::1", "fe80::1", "127.0.0.1")
NEEDS = {
    "web": {"dns", "database", "broker", "internet", "mail"},
    "intake": {"dns", "database", "broker", "internet"},
    "worker-inbox": {"dns", "database", "broker", "internet"},
    "worker-media": {"dns", "database", "broker", "internet"},
    "worker-maintenance": {"dns", "database", "broker", "internet", "mail"},
    "beat": {"dns", "broker", "internet"},
    "sender": {"dns", "database", "broker", "internet"},
    "metrics": {"dns", "database", "broker", "internet"},
    "migration": {"dns", "database", "internet"},
}
PORTS = {53: "dns", 5432: "database", 6379: "broker", 443: "internet", 465: "mail", 587: "mail"}


@pytest.fixture
def manifests(helm):
    return helm.render(values=LEAST)


@pytest.fixture
def policies(manifests):
    return {each["spec"]["podSelector"]["matchLabels"].get(COMPONENT): each["spec"] for each in _policies(manifests)}


def _policies(manifests):
    return of_kind(manifests, "NetworkPolicy")


def allows(policy, address):
    """Return whether some https rule of the policy reaches the address."""
    blocks = [
        peer["ipBlock"]
        for rule in policy["egress"]
        if any(port["port"] == 443 for port in rule["ports"])
        for peer in rule["to"]
    ]
    where = ip_address(address)
    return any(
        where in ip_network(block["cidr"]) and not any(where in ip_network(each) for each in block["except"])
        for block in blocks
        if ip_network(block["cidr"]).version == where.version
    )


def test_what_no_policy_allows_is_refused(policies):
    everything = policies[None]
    assert everything["policyTypes"] == ["Ingress", "Egress"]
    assert set(everything) == {"podSelector", "policyTypes"}


def test_every_pod_is_covered(rendered):
    switched_off = not _policies(rendered)
    for name, pod in pods(rendered):
        labels = pod["metadata"]["labels"]
        chosen = [
            each["metadata"]["name"]
            for each in _policies(rendered)
            if each["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        ]
        # The refusal of everything, and its own.
        assert len(chosen) == (0 if switched_off else 2), name


def test_each_component_goes_where_it_must_and_nowhere_else(policies):
    found = {
        component: {PORTS[port["port"]] for rule in policy["egress"] for port in rule["ports"]}
        for component, policy in policies.items()
        if component
    }
    assert found == NEEDS


def test_every_way_out_names_its_ports(rendered):
    for policy in _policies(rendered):
        assert all(rule["ports"] for rule in policy["spec"].get("egress", []))


def test_the_internet_does_not_mean_your_own_networks(policies):
    for component, policy in policies.items():
        if component:
            assert allows(policy, "157.240.1.1")
            assert allows(policy, "2a03:2880::1")
            assert not any(allows(policy, address) for address in INSIDE), component


def test_only_web_and_intake_are_called_and_only_by_the_ingress_controller(policies):
    called = {component: policy["ingress"] for component, policy in policies.items() if policy.get("ingress")}
    assert set(called) == {"web", "intake"}
    for rules in called.values():
        assert rules == [
            {
                "from": LEAST["networkPolicy"]["ingressControllers"],
                "ports": [{"protocol": "TCP", "port": "http"}],
            }
        ]


def test_a_database_can_be_pinned_down(helm):
    there = [{"ipBlock": {"cidr": "10.1.2.0/24"}}]
    values = merged(LEAST, {"networkPolicy": {"destinations": {"database": {"to": there}}}})
    for policy in _policies(helm.render(values=values)):
        for rule in policy["spec"].get("egress", []):
            if rule["ports"] == [{"protocol": "TCP", "port": 5432}]:
                assert rule["to"] == there
