"""The machine that a benchmark ran on, and what each process took of it. Linux tells; elsewhere less is known."""

import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

PROC = Path("/proc")
SYNCS = 100
SYNC_BYTES = 8192  # a page of PostgreSQL's log


def describe(*, folder: Path) -> dict[str, Any]:
    """Return what the machine is. folder: where the database lies; its disk is tried."""
    memory = dict(line.split(":", 1) for line in _lines("meminfo") if ":" in line)
    models = [line.split(":", 1)[1].strip() for line in _lines("cpuinfo") if line.startswith("model name")]
    return {
        "system": platform.platform(),
        "processor": models[0] if models else platform.processor() or "unknown",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_total_mib": int(memory["MemTotal"].split()[0]) // 1024 if "MemTotal" in memory else None,
        "python": platform.python_version(),
        "sync_microseconds": _sync_microseconds(folder=folder),
        "load_before": round(os.getloadavg()[0], 2),
    }


def cpu_ticks() -> dict[str, int]:
    """Return the ticks so far of all cores together: total, idle and stolen by the machine's host."""
    fields = next((line.split()[1:] for line in _lines("stat") if line.startswith("cpu ")), [])
    if len(fields) < 8:
        return {"total": 0, "idle": 0, "steal": 0}
    ticks = [int(value) for value in fields[:8]]
    return {"total": sum(ticks), "idle": ticks[3] + ticks[4], "steal": ticks[7]}


def shares_since(before: dict[str, int]) -> dict[str, float]:
    """Return the shares of all cores' time since `before` that were idle and stolen, in percent."""
    after = cpu_ticks()
    total = max(1, after["total"] - before["total"])
    return {f"{name}_percent": round(100 * (after[name] - before[name]) / total, 1) for name in ("idle", "steal")}


def memory_of_children() -> dict[str, float]:
    """Return the proportional memory (PSS, MiB) of everything this process started, by program, and its own."""
    parents = {pid: stat["parent"] for pid, stat in _processes().items()}
    found: dict[str, float] = {}
    for pid in _tree(root=os.getpid(), parents=parents):
        name = "benchmark" if pid == os.getpid() else _program(pid=pid)
        found[name] = round(found.get(name, 0.0) + _pss_mib(pid=pid), 1)
    return found


def cpu_seconds_of_children() -> dict[str, float]:
    """Return the processor time so far of everything this process started, by program, and its own."""
    processes = _processes()
    parents = {pid: stat["parent"] for pid, stat in processes.items()}
    tick = os.sysconf("SC_CLK_TCK")
    found: dict[str, float] = {}
    for pid in _tree(root=os.getpid(), parents=parents):
        name = "benchmark" if pid == os.getpid() else _program(pid=pid)
        found[name] = found.get(name, 0.0) + processes[pid]["ticks"] / tick
    return found


def _processes() -> dict[int, dict[str, int]]:
    found = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        found[int(folder.name)] = {"parent": int(fields[1]), "ticks": int(fields[11]) + int(fields[12])}
    return found


def _tree(*, root: int, parents: dict[int, int]) -> set[int]:
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found & (set(parents) | {root})


def _program(*, pid: int) -> str:
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "ended"
    for name in ("postgres", "redis", "uvicorn", "celery"):
        if any(name in word for word in words[:3]):
            return name
    for name in ("run_lanes", "sandbox", "benchmarks.outboxes", "benchmarks.bare_client"):
        if name in words:
            return name.removeprefix("benchmarks.")
    # The workers of uvicorn are started by Python's own multiprocessing.
    return "uvicorn" if any("spawn_main" in word for word in words) else Path(words[0] or "other").name


def _pss_mib(*, pid: int) -> float:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def _lines(name: str) -> list[str]:
    try:
        return (PROC / name).read_text().splitlines()
    except OSError:
        return []


def _sync_microseconds(*, folder: Path) -> int:
    path = folder / "sync-trial"
    taken = []
    with path.open("wb") as file:
        for _ in range(SYNCS):
            file.write(b"\0" * SYNC_BYTES)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begun)
    path.unlink()
    return round(statistics.median(taken) * 1e6)
