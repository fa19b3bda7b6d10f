"""Under which user PostgreSQL runs: it refuses root, so as root it runs as somebody else.

No user is made and no permission is loosened. Where that user cannot reach the clone, because a folder above it is
private, the one capability is given that lets him read and search there.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.local.failure import SetupError

# Reading and searching is enough; containers often withhold that one and grant the wider one.
_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}  # name: its bit in /proc/self/status
_STAND_IN = "nobody"


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user that PostgreSQL runs as, and what stands before its commands."""

    uid: int
    gid: int
    prefix: tuple[str, ...]

    def own(self, *, path: Path) -> None:
        """Give a file or folder to the user."""
        if self.prefix:
            os.chown(path, self.uid, self.gid)


def choose(*, clone: Path, program: Path, folder: Path) -> RunAs:
    """Return whom to run `program` as on `folder`: oneself, or as root the clone's owner or else nobody.

    Raises SetupError: as root, where setpriv is missing or no way in can be given.
    """
    if os.geteuid() != 0:
        return RunAs(uid=os.geteuid(), gid=os.getegid(), prefix=())
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SetupError(
            "as root, setpriv (util-linux) is needed to run PostgreSQL: install it, or run as another user"
        )
    user = _stand_in(clone=clone)
    plain = (setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=INT")
    ways: list[tuple[str, ...]] = [(*plain, "--inh-caps=-all")]
    ways += [
        (
            *plain,
            # Without this bit access(2) forgets the capability, and PostgreSQL asks it about its own program.
            "--securebits=+no_setuid_fixup",
            f"--inh-caps=-all,+{name}",
            f"--ambient-caps=-all,+{name}",
            f"--bounding-set=-all,+{name}",
        )
        for name in _held()
    ]
    os.chown(folder, user.pw_uid, user.pw_gid)
    attempt = ("/bin/sh", "-c", 'cd "$0" && exec "$1" --version', str(folder), str(program))
    for prefix in ways:
        if subprocess.run([*prefix, *attempt], capture_output=True, cwd="/", check=False).returncode == 0:
            return RunAs(uid=user.pw_uid, gid=user.pw_gid, prefix=prefix)
    raise SetupError(f"the user {user.pw_name} cannot reach {clone}: run as an ordinary user, or set DATABASE_URL")


def _stand_in(*, clone: Path) -> pwd.struct_passwd:
    try:
        owner = pwd.getpwuid(clone.stat().st_uid)
        return owner if owner.pw_uid != 0 else pwd.getpwnam(_STAND_IN)
    except KeyError:
        return pwd.getpwnam(_STAND_IN)


def _held() -> list[str]:
    status = Path("/proc/self/status").read_text()
    bits = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff"))
    return [name for name, bit in _CAPABILITIES.items() if bits >> bit & 1]
