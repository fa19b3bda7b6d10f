"""`make lint` and `make test`: every check of the house, and the tests, each with the environment it needs."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from config.local import environment
from config.local.folders import ROOT

PROGRAMS = Path(sys.executable).parent
# The type checker and the check of migrations read the settings, and connect to nothing.
SETTINGS_ONLY = {
    "ENVIRONMENT": "development",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",
}
FUZZED = [
    "tests/messaging/test_any_order.py",
    "tests/messaging/test_every_payload.py",
    "tests/billing/test_conversations.py",
]
TEST_WORKERS = 2  # a third on two cores gains nothing: measured 1,438 s for some 7,100 tests, and 1,237 with two
CHECKS: dict[str, list[str]] = {
    "ruff": ["ruff", "check", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "imports": ["lint-imports", "--no-logo"],
    "types": ["mypy", "--no-error-summary", "."],
    "migrations": ["python", "manage.py", "makemigrations", "--check", "--dry-run", "--verbosity", "1"],
}


def lint() -> int:
    """Run every check, and print what a failing one said; return the exit code."""
    values = {**environment.make_secrets(), **SETTINGS_ONLY}
    environ = {**environment.of_processes(values=values, folder=ROOT / "var"), "CLOCK_FILE": ""}
    failed = [name for name, command in CHECKS.items() if not _passes(name=name, command=command, environ=environ)]
    if failed:
        print(f"failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def test(*, arguments: Sequence[str]) -> int:
    """Run the tests with some workers, and the checks beside them; return the exit code of what failed."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", *arguments]
    if not any(argument.startswith(("-n", "--pdb")) for argument in arguments):
        command += ["-n", str(TEST_WORKERS), "--dist", "loadgroup"]
    environ = environment.compiling_once(environ={**os.environ, "PYTHONPATH": str(ROOT)})
    with ThreadPoolExecutor(max_workers=1) as beside:
        # A choice of tests is made while working on something: the checks then only stand in the way.
        checking = None if arguments else beside.submit(lint)
        tested = subprocess.call(command, cwd=ROOT, env=environ)
        checked = checking.result() if checking else 0
    said = (
        "all passed" if checked == tested == 0 else "not all passed" if tested else "the tests passed, the checks not"
    )
    print(f"{said}, {time.monotonic() - begun:.0f} s in all", flush=True)
    return tested or checked


def bench(*, arguments: Sequence[str]) -> int:
    """Run the benchmarks, or the one that is named; return the exit code."""
    return subprocess.call([sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT)


def chaos(*, arguments: Sequence[str]) -> int:
    """Kill processes and servers at random under load, for ten minutes, and count; return the exit code."""
    command = [sys.executable, "-m", "tests.flows.chaos", *arguments]
    return subprocess.call(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def fuzz(*, arguments: Sequence[str]) -> int:
    """Try ten thousand broken payloads, a thousand days in other orders and ledgers as many; return the exit code.

    FUZZ_EXAMPLES: how many payloads and ledgers, and ten times as many as days. FUZZ_SEED: repeat a run; said at its
    begin.
    """
    seed = os.environ.get("FUZZ_SEED") or str(int(time.time()))
    print(f"FUZZ_SEED={seed}", flush=True)
    chosen = list(arguments) or FUZZED
    command = [sys.executable, "-m", "pytest", "-n", "2", "--hypothesis-seed", seed, *chosen]
    examples = os.environ.get("FUZZ_EXAMPLES") or "10000"
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "FUZZ_EXAMPLES": examples, "FUZZ_SEED": seed}
    return subprocess.call(command, cwd=ROOT, env=environ)


def _passes(*, name: str, command: Sequence[str], environ: Mapping[str, str]) -> bool:
    begun = time.monotonic()
    done = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]],
        cwd=ROOT,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(f"{name:<11}{'ok' if done.returncode == 0 else 'FAILED':<7}{time.monotonic() - begun:5.1f} s", flush=True)
    if done.returncode != 0:
        print(done.stdout.rstrip(), flush=True)
    return done.returncode == 0
