"""The set-up by command, for make: `python -m config.local demo|test|lint|bench|chaos|fuzz|audit|clean|code`."""

import sys
from collections.abc import Sequence

from config.local import auditing, checks, running, sign_ins
from config.local.failure import SetupError, explain


def main(*, arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. What a person can mend is said in one line."""
    command, rest = (arguments[0] if arguments else ""), list(arguments[1:])
    try:
        match command:
            case "demo":
                return running.demo()
            case "test":
                return checks.test(arguments=rest)
            case "lint":
                return checks.lint()
            case "bench":
                return checks.bench(arguments=rest)
            case "chaos":
                return checks.chaos(arguments=rest)
            case "fuzz":
                return checks.fuzz(arguments=rest)
            case "audit":
                return auditing.audit(arguments=rest)
            case "clean":
                return running.clean()
            case "code" if len(rest) == 1:
                print(sign_ins.code(secret=rest[0]))
                return 0
            case _:
                use = "use: python -m config.local demo|test|lint|bench|chaos|fuzz|audit|clean|code SECRET"
                print(use, file=sys.stderr)
                return 2
    except SetupError as error:
        print(f"make {command}: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"make {command}: {explain(error=error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(arguments=sys.argv[1:]))
