"""What operators read: the notes after installing, and helm/README.md, name only what there is."""

import re
import shutil

import pytest

from api import metrics
from config.env import VARIABLES
from config.local.folders import ROOT
from messaging import figures
from tests.helm.charts import CHART, LEAST, merged, of_kind, pods

README = (CHART / "README.md").read_text()


@pytest.fixture
def notes(helm, tmp_path):
    """Return what Helm says after installing; it says so to clusters only, so here it is put into an object."""
    chart = shutil.copytree(CHART, tmp_path / "chart")
    said = (chart / "templates" / "NOTES.txt").read_text()
    (chart / "templates" / "NOTES.txt").unlink()
    (chart / "templates" / "_notes.tpl").write_text('{{- define "notes" -}}\n' + said + "\n{{- end }}\n")
    (chart / "templates" / "said.yaml").write_text(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: said}\ndata: {said: {{ include "notes" . | quote }}}\n'
    )

    def say(values):
        return of_kind(helm.render(values=values, chart=chart), "ConfigMap")[0]["data"]["said"]

    return say


def test_the_notes_name_what_is_there(helm, notes):
    said = notes(LEAST)
    containers = {
        (name, container["name"])
        for name, pod in pods(of_kind(helm.render(values=LEAST), "Deployment"))
        for container in pod["spec"]["containers"]
    }
    named = re.findall(r"deploy/(\S+) --container (\S+)", said)
    assert named
    assert set(named) <= containers
    assert "--namespace platform" in said
    assert "https://console.whatsapp.example/webhooks/whatsapp" in said


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"ingress": {"enabled": False}}, "There is no Ingress"),
        ({"ingress": {"consoleTLSSecret": ""}}, "no Secret is named for console.whatsapp.example"),
        ({"networkPolicy": {"enabled": False}}, "There are no NetworkPolicies"),
        ({"networkPolicy": {"monitoring": []}}, "Nobody may read the metrics yet"),
    ],
)
def test_the_notes_say_what_is_left_open(notes, values, word):
    closed = {
        "ingress": {"consoleTLSSecret": "console-tls", "tenantsTLSSecret": "tenants-tls"},
        "networkPolicy": {"monitoring": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]},
    }
    assert word not in notes(merged(LEAST, closed))
    assert word in notes(merged(LEAST, closed, values))


def test_every_workload_is_in_the_readme(helm):
    for name, _ in pods(helm.render(values=LEAST)):
        assert f"| `{name.removeprefix('demo-')}` |" in README, name


def test_every_secret_that_changes_is_in_the_readme():
    required = {each.name for each in VARIABLES if each.secret and not each.optional}
    assert required == set(re.findall(r"(?m)^\| `([A-Z_]+)` \|", README))


def test_the_readme_names_commands_that_exist():
    named = set(re.findall(r"manage\.py ([a-z_]+)", README)) - {"migrate_schemas"}  # django-tenants' own
    found = {file.stem for file in ROOT.glob("*/management/commands/*.py")}
    assert named
    assert named <= found


def test_the_readme_names_figures_that_exist():
    sources = "".join((ROOT / module.__file__).read_text() for module in (figures, metrics))
    named = {name.removesuffix("_total") for name in re.findall(r"`(whatsapp_[a-z_]+)`", README)}
    assert len(named) > 5
    assert [name for name in named if f'"{name}"' not in sources] == []


def test_the_readme_gives_the_times_of_the_values(helm):
    given = {}
    for name, time, unit in re.findall(r"(?m)^\| `([a-z-]+)` \| [^|]+ \| (\d+) (s|min) \|$", README):
        given[name] = int(time) * {"s": 1, "min": 60}[unit]
    found = {
        name.removeprefix("demo-"): pod["spec"]["terminationGracePeriodSeconds"]
        for name, pod in pods(of_kind(helm.render(values=LEAST), "Deployment"))
    }
    assert len(given) == 6
    assert given.items() <= found.items()
