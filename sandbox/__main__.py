"""Starts the sandbox: `python -m sandbox`. What it listens to is in the environment (README.md)."""

import argparse
import os
from pathlib import Path

from sandbox.server import read_config, run

ENVIRONMENT = """environment:
  SANDBOX_PORT         port to listen on, 127.0.0.1 only (8100)
  SANDBOX_WEBHOOK_URL  where webhooks go (http://127.0.0.1:8000/webhooks/whatsapp)
  META_APP_ID          id of the app (sandbox-app)
  META_APP_SECRET      secret that signs webhooks (sandbox-secret)
  META_VERIFY_TOKEN    token of the webhook's verification (sandbox-verify)
  META_SYSTEM_TOKEN    token that may act for every business (sandbox-system-token)
  CLOCK_FILE           file that shares the moved clock with other processes (none: kept in memory)
"""


def main() -> None:
    """Read the command line and serve until stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Meta's Cloud API imitated, for demo, tests and benchmarks. Doors and controls: sandbox/README.md.",
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, help="port to listen on, instead of SANDBOX_PORT")
    arguments = parser.parse_args()
    config = read_config()
    if arguments.port is not None:
        config.port = arguments.port
    clock_file = os.environ.get("CLOCK_FILE")
    run(config=config, clock_file=Path(clock_file) if clock_file else None)


if __name__ == "__main__":
    main()
