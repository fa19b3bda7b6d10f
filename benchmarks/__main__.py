"""`python -m benchmarks NAME [--json]`: exit code 0: every floor is kept; 1: one is missed; 2: nothing was measured."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import api, fairness, inbox, intake, metering, onboarding, outbound, processing
from benchmarks.report import CannotMeasure
from config.local.failure import SetupError
from config.local.instance import AlreadyRunning

MODULES = {module.NAME: module for module in (intake, processing, outbound, fairness, metering, onboarding, inbox, api)}


def main(*, arguments: Sequence[str]) -> int:
    """Run the named benchmarks, or all; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the product against references that take turns with it. Exit code 1: a floor was missed.",
        epilog="; ".join(f"{name}: {module.HELP}" for name, module in MODULES.items()),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(MODULES)}; without one: all")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON for each benchmark")
    parser.add_argument("--passes", type=int, help="so many passes, while developing: no result to keep")
    parser.add_argument("--case", action="append", default=[], help="this case only; may be given again")
    given = parser.parse_args(arguments)
    names = given.names or list(MODULES)
    if unknown := set(names) - set(MODULES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))} (there are: {', '.join(MODULES)})")
    if unknown := set(given.case) - {case for name in names for case in MODULES[name].CASES}:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    kept = True
    for name in names:
        module = MODULES[name]
        try:
            passes = {} if given.passes is None else {"passes": given.passes}
            report = module.measure(cases=tuple(given.case), **passes)
        except (CannotMeasure, SetupError, AlreadyRunning) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        print(report.as_text(), flush=True)
        if given.json:
            print(report.as_json(), flush=True)
        kept = kept and all(case.is_kept for case in report.cases)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(arguments=sys.argv[1:]))
