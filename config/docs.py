"""Makes docs/settings.md from the list in config/env.py: `python -m config.docs` (`--check`: only compare)."""

import sys

from config.env import GROUPS, ROOT, VARIABLES, Variable

PAGE = ROOT / "docs" / "settings.md"

OPENING = """# Settings

Made from `config/env.py` by `python -m config.docs`: change it there.

Everything that differs between machines comes from environment variables. A process that finds one missing or
malformed does not start; it names all of them at once, and repeats no value. `make demo` and `make test` set what they
need themselves. A secret is given as a variable, never on a command line, where others on the machine could read it.
"""


def settings_page() -> str:
    """Return the page: a table for each group of variables, in the order of the list."""
    parts = [OPENING]
    for group in GROUPS:
        rows = [_row(variable=variable) for variable in VARIABLES if variable.group == group]
        parts.append(f"## {group}\n\n| variable | what it is for | when it is not set |\n| --- | --- | --- |\n")
        parts[-1] += "\n".join(rows) + "\n"
    return "\n".join(parts)


def _row(*, variable: Variable) -> str:
    purpose = variable.help.replace("<", "\\<") + (" *Secret.*" if variable.secret else "")
    return f"| `{variable.name}` | {purpose} | {_when_unset(variable=variable)} |"


def _when_unset(*, variable: Variable) -> str:
    if variable.default is not None:
        return f"`{variable.default}`"
    if variable.development is not None:
        return f"refused; in development `{variable.development}`"
    return "left out" if variable.optional else "**refused**"


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is current; return the exit code."""
    page = settings_page()
    if "--check" in arguments:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        sys.stderr.write("docs/settings.md is not current: run `python -m config.docs`\n")
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
