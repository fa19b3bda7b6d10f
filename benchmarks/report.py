"""What a benchmark hands back, how it is printed, and when it has failed."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


class CannotMeasure(Exception):
    """A pass was not what it should be (an answer that is no 200, a row that is missing): no figure would be true."""


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a benchmark.

    ours, reference: medians, in `unit`; ratio: median over the passes; runs: one dict for each pass.
    """

    case: str
    ratio: float
    floor: float
    better: Literal["higher", "lower"]
    ours: float
    reference: float
    unit: str
    runs: list[dict[str, float]]

    @property
    def is_kept(self) -> bool:
        """Return whether the floor is kept."""
        return self.ratio >= self.floor if self.better == "higher" else self.ratio <= self.floor


@dataclass(frozen=True, slots=True)
class Report:
    """A whole benchmark. conditions: in words, what was run on what; machine: see benchmarks/machine.py."""

    name: str
    cases: list[Case]
    machine: dict[str, Any]
    conditions: list[str] = field(default_factory=list)

    def as_json(self) -> str:
        """Return the report as one line of JSON."""
        return json.dumps(asdict(self))

    def as_text(self) -> str:
        """Return the report for a person to read."""
        lines = [f"{self.name}", *(f"  {condition}" for condition in self.conditions), ""]
        for case in self.cases:
            sign = ">=" if case.better == "higher" else "<="
            verdict = "kept" if case.is_kept else "MISSED"
            lines.append(
                f"  {case.case:<12}{case.ratio:6.2f}  floor {sign} {case.floor:.2f} {verdict:<7}"
                f"ours {case.ours:,.0f}, reference {case.reference:,.0f} {case.unit}"
            )
            lines.extend("      " + "  ".join(f"{key} {value:,g}" for key, value in run.items()) for run in case.runs)
        lines.append("")
        lines.extend(f"  {key}: {_in_words(value)}" for key, value in self.machine.items())
        return "\n".join(lines)


def median(values: Sequence[float]) -> float:
    """Return the median, to four digits."""
    return float(f"{statistics.median(values):.4g}")


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_words(item)}" for key, item in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)
