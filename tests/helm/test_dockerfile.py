"""The Dockerfile, read as the builder reads it: what it copies is there, what the chart starts is in it."""

import json
import re
import tomllib
from fnmatch import fnmatch

import pytest

from config.local.folders import ROOT
from tests.helm.charts import LEAST, containers

# Rooms that no production has.
LEFT_OUT = {"sandbox"}


@pytest.fixture(scope="module")
def steps():
    """Return (instruction, rest) of every step, continued lines joined."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text()).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def last_stage(steps):
    return steps[max(number for number, (word, _) in enumerate(steps) if word == "FROM") :]


def values(steps, word):
    return [rest for found, rest in steps if found == word]


def sent():
    """Return what .dockerignore lets through, and what it takes back."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    return [line[1:] for line in lines if line.startswith("!")], [
        line for line in lines[1:] if not line.startswith("!")
    ]


def copied_from_here(steps):
    for rest in values(steps, "COPY"):
        if not rest.startswith("--from="):
            yield from (source.rstrip("/") for source in rest.split()[:-1])


def test_every_file_it_copies_is_there_and_is_sent(steps):
    let_through, taken_back = sent()
    sources = list(copied_from_here(steps))
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source in let_through, f"{source} is not let through by .dockerignore"
        assert not any(fnmatch(source, pattern) for pattern in taken_back), source
    assert set(let_through) == set(sources), "nothing is sent that is not copied"


def test_every_room_is_in_the_image(last_stage):
    rooms = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"])
    assert rooms - LEFT_OUT <= set(copied_from_here(last_stage))
    assert not LEFT_OUT & set(copied_from_here(last_stage))


def test_what_is_left_out_is_of_no_use_there(last_stage):
    for room in copied_from_here(last_stage):
        for file in (ROOT / room).rglob("*.py"):
            if file.is_relative_to(ROOT / "config" / "local"):
                continue
            assert not re.search(
                r"(?m)^\s*(from|import) (config\.local|sandbox|tests|benchmarks)\b", file.read_text()
            ), file


def test_every_stage_it_copies_from_is_there(steps):
    stages = {rest.split()[-1] for rest in values(steps, "FROM") if " AS " in rest}
    used = {rest.removeprefix("--from=").split()[0] for rest in values(steps, "COPY") if rest.startswith("--from=")}
    assert used == stages


def test_everything_is_installed_by_its_hash(steps):
    installs = [rest for rest in values(steps, "RUN") if re.search(r"\b(pip|npm|apt-get|curl|wget)\b", rest)]
    pip, npm = (next(rest for rest in installs if word in rest) for word in ("pip install", "npm ci"))
    assert len(installs) == 2
    assert "--require-hashes" in pip
    assert "--only-binary :all:" in pip
    assert "--ignore-scripts" in npm
    lock = (ROOT / "requirements" / "base.txt").read_text()
    pinned = re.findall(r"(?m)^[a-z0-9][\w.-]*==[^\s;]+(?: ;[^\\\n]*)? ?(\\)?$", lock)
    assert len(pinned) > 30
    assert all(pinned), "a package without a hash"
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all("integrity" in package for path, package in packages.items() if path)


def test_its_python_is_one_that_the_platform_runs_on(steps):
    images = [rest.split()[0] for rest in values(steps, "FROM")]
    pythons = {image for image in images if image.startswith("python:")}
    assert len(pythons) == 1, "the packages are made for the Python that runs them"
    version = re.fullmatch(r"python:(3\.\d+)-slim", pythons.pop())[1]
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"] == f">={version}"


def test_it_ends_as_a_user_who_owns_nothing(last_stage):
    words = [word for word, _ in last_stage]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", values(last_stage, "USER")[-1])
    assert not {"COPY", "RUN", "ADD"} & set(words[words.index("USER") :])
    assert not any("--chown" in rest or "chmod" in rest for _, rest in last_stage)


def test_no_secret_is_baked_in(steps):
    from config.env import VARIABLES

    text = " ".join(rest for word, rest in steps if word in {"ENV", "ARG", "RUN", "LABEL"})
    assert not [each.name for each in VARIABLES if each.name in text]


def test_every_command_of_the_chart_is_in_the_image(helm):
    lock = (ROOT / "requirements" / "base.txt").read_text()
    for _, container in containers(helm.render(values=LEAST)):
        program, first = container["command"][:2]
        if program == "python":
            assert first == "manage.py"
            found = list(ROOT.glob(f"*/management/commands/{container['command'][2]}.py"))
            assert found or container["command"][2] == "migrate_schemas"  # django-tenants' own
        else:
            assert re.search(rf"(?m)^{program}==", lock), program


def test_its_own_command_is_that_of_the_web(last_stage, helm):
    command = json.loads(values(last_stage, "CMD")[0])
    web = next(each for name, each in containers(helm.render(values=LEAST)) if name == "demo-web")["command"]
    assert " ".join(command).replace(" --", "\0--").replace(" ", "=").split("\0") == [
        word for word in " ".join(web).replace(" --", "\0--").replace(" ", "=").split("\0") if "--workers" not in word
    ]
