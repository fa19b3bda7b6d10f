"""One chaos run from start to verdict."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.flows.chaos.faults import Faults
from tests.flows.chaos.load import Load
from tests.flows.chaos.verdict import Verdict, judge
from tests.flows.live import TOWNS, Live, eventually

PER_SECOND = 12.0
SETTLE_SECONDS = 120.0
MUNICIPALITIES = {
    **TOWNS,
    "almelo": ("Almelo", "GM0141", "2000000000141", "1000000000141"),
    "borne": ("Borne", "GM0147", "2000000000147", "1000000000147"),
}


@dataclass
class Played:
    """A run: what was done to the platform, and what became of it."""

    seconds: float
    seed: int
    killed: dict[str, int]
    told: dict[str, int]
    settled_seconds: float
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        verdict = asdict(self.verdict)
        return {
            "seconds": self.seconds,
            "seed": self.seed,
            "killed": self.killed,
            "told": self.told,
            "settled_seconds": round(self.settled_seconds, 1),
            **{
                name: verdict[name]
                for name in ("inbound", "outbound", "statuses", "media", "api", "conversations", "faults")
            },
        }


def play(*, folder: Path, seconds: float, per_second: float, seed: int) -> Played:
    """Bring a platform up, harm it for so long under load, let it settle, and judge."""
    live = Live(folder, durable=True, towns=MUNICIPALITIES)
    try:
        live.start()
        faults = Faults(live=live, seed=seed)
        with Load(live=live, per_second=per_second, seed=seed) as load:
            faults.run(seconds=seconds)
            ended = time.monotonic()
        live.rest(seconds=SETTLE_SECONDS)
        eventually(lambda: not _media_waiting(live), seconds=max(1.0, ended + SETTLE_SECONDS - time.monotonic()))
        settled = time.monotonic() - ended
        verdict = judge(live=live, sent=load.sent, may_be_uncertain=faults.may_be_uncertain)
        verdict.must(load.written == verdict.inbound["written"], "the sandbox's books miss what citizens wrote")
        verdict.must(settled <= SETTLE_SECONDS, f"it took {settled:.0f} seconds to settle")
        return Played(seconds, seed, dict(faults.killed), dict(faults.told), settled, verdict)
    finally:
        live.stop()


def _media_waiting(live: Live) -> int:
    query = "SELECT count(*) FROM {s}.messaging_medium WHERE state = 'PENDING'"
    return sum(live.ask(query, schema=schema)[0][0] for schema in live.towns)
