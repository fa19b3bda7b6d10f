"""`make audit`: whether a package that is installed has a weakness that is known, in Python and among the pages' files.

A service that knows of none says so; a service that cannot be asked, or does not know the packages, is no good news:
pip-audit itself would then say that nothing was found, and end well. So what could not be looked up is counted, said as
SKIPPED, and with AUDIT=strict fails.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.local import npm
from config.local.folders import ROOT

LOCK = ROOT / "requirements" / "test.txt"  # what the image has is in it too
SECONDS = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one side. weak: a line for each weakness; asked: how many packages the service knew."""

    side: str
    weak: tuple[str, ...]
    asked: int
    skipped: int
    why: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every package was looked up."""
        return self.asked > 0 and self.skipped == 0

    def sentence(self) -> str:
        """Return it in one line."""
        verdict = "FAILED" if self.weak else "ok" if self.is_whole else "SKIPPED"
        said = f"{len(self.weak)} weaknesses known, {self.asked} packages looked up"
        if not self.is_whole:
            said += f", {self.skipped or 'all'} not: {self.why}"
        return f"{self.side:<8}{verdict:<9}{said}"


def audit(*, arguments: Sequence[str]) -> int:
    """Look everything up; return 1 when a weakness is known, and with AUDIT=strict 2 when not all was looked up.

    arguments: more of pip-audit's own, such as another service.
    """
    findings = [of_python(arguments=arguments), of_pages()]
    for finding in findings:
        print(finding.sentence(), flush=True)
        for line in finding.weak:
            print(f"  {line}", flush=True)
    if any(finding.weak for finding in findings):
        return 1
    return 2 if os.environ.get("AUDIT") == "strict" and not all(each.is_whole for each in findings) else 0


def of_python(*, arguments: Sequence[str] = (), lock: Path = LOCK) -> Finding:
    """Ask pip-audit of every package of a lock file."""
    program = Path(sys.executable).with_name("pip-audit")
    options = ["--requirement", str(lock), "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    said, why = _json_of([str(program), *options, "--format", "json", "--desc", "off", "--timeout", "15", *arguments])
    return judge_python(said, why=why)


def judge_python(said: Mapping[str, Any], *, why: str = "") -> Finding:
    """Return what pip-audit's answer comes to; an empty one: it could ask nobody."""
    packages = said.get("dependencies", [])
    skipped = [each for each in packages if "skip_reason" in each]
    weak = [
        f"{each['name']} {each['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none yet'}"
        for each in packages
        for found in each.get("vulns", [])
    ]
    reason = skipped[0]["skip_reason"] if skipped else why
    return Finding("Python", tuple(weak), asked=len(packages) - len(skipped), skipped=len(skipped), why=reason)


def of_pages() -> Finding:
    """Ask npm of every package that the pages' files come from."""
    started = npm.command()
    if started is None:
        return Finding("pages", (), asked=0, skipped=0, why="there is no npm here")
    said, why = _json_of([*started, "audit", "--json", "--package-lock-only", "--omit", "dev"])
    return judge_pages(said, why=why)


def judge_pages(said: Mapping[str, Any], *, why: str = "") -> Finding:
    """Return what npm's answer comes to; one without a count: it could ask nobody."""
    counts = said.get("metadata", {}).get("dependencies", {})
    if "vulnerabilities" not in said or not counts:
        return Finding("pages", (), asked=0, skipped=0, why=str(said.get("message") or why or "no answer"))
    weak = [f"{name} {each['range']}: {each['severity']}" for name, each in said["vulnerabilities"].items()]
    return Finding("pages", tuple(weak), asked=int(counts["total"]) + 1, skipped=0)


def _json_of(command: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Run a program; return the object that it printed, and the last line of what else it said."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {}, "no answer in time"
    last = done.stderr.strip().splitlines()[-1:] or ["no answer"]
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return {}, last[0][:200]
    return (found, last[0][:200]) if isinstance(found, dict) else ({}, last[0][:200])
