"""Both commands of the README on the machine that the README names: a bare Debian 12, as root and as an ordinary user."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ENVIRONMENT, ROOT
from tests.needs import need

HOURS = 3600
CERTIFICATES = Path("/usr/local/share/ca-certificates")  # an administrator's own, of a proxy for instance
PASSED_ON = re.compile(r"(?i)(https?|all|no)_proxy|(PIP|UV)_(DEFAULT_)?INDEX(_URL)?")
ENTER = """
mount -t proc proc "$1/proc"
for what in sys dev; do mount --rbind "/$what" "$1/$what"; done
cp -L /etc/resolv.conf "$1/etc/resolv.conf"
chroot "$1" update-ca-certificates >/dev/null
root=$1 user=$2 home=$3; shift 3
setsid --wait chroot --userspec="$user:$user" "$root" env -i "$@" sh -c "cd $home/innerloop && make $WORDS"
exit $?
"""


class Debian:
    """A root in which nothing is but what the README asks for, and a copy of this checkout without its history."""

    def __init__(self, path: Path, user: str) -> None:
        self.path, self.user = path, user
        self.home = "/root" if user == "root" else f"/home/{user}"
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        asked = re.search(r"^On Debian 12 with (.*?), or any Linux", readme, re.MULTILINE)
        assert asked
        packages = ",".join(re.findall("`([^`]+)`", asked[1]))
        self._run(need("debootstrap"), "--variant=minbase", f"--include={packages}", "bookworm", path, *mirror())
        if CERTIFICATES.is_dir():
            shutil.copytree(CERTIFICATES, path / str(CERTIFICATES)[1:], dirs_exist_ok=True)
        if user != "root":
            self._run("chroot", path, "useradd", "--create-home", user)
        copy = path / self.home[1:] / "innerloop"
        for name in subprocess.check_output([need("git"), "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True).split("\0"):
            if name and (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
        self._run("chroot", path, "chown", "-R", f"{user}:", f"{self.home}/innerloop")

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run make in the copy, in a world of processes and mounts of its own that ends with it."""
        kept = {key: value for key, value in ENVIRONMENT.items() if PASSED_ON.fullmatch(key)}
        kept |= {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": self.home,
            "USER": self.user,
            "LANG": "C.UTF-8",
        }
        enter = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-ec", ENTER, "sh"]
        command = [*enter, self.path, self.user, self.home, *(f"{key}={value}" for key, value in kept.items())]
        environment = {"PATH": ENVIRONMENT["PATH"], "WORDS": " ".join(words)}
        apart: dict[str, Any] = {"stdin": subprocess.DEVNULL, "start_new_session": True}  # no signal of theirs reaches this run
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **apart)

    @staticmethod
    def _run(*command: object) -> None:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"NOT TESTED: no bare Debian can be made here: {done.stdout[-300:]}{done.stderr[-300:]}")


def mirror() -> list[str]:
    """Where this machine has Debian's packages from, if it says so."""
    words = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Codename: bookworm"]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
    return said[:1]


@pytest.mark.slow
@pytest.mark.timeout(6 * HOURS)
@pytest.mark.parametrize("user", ["somebody", "root"])
def test_the_commands_of_the_readme_work_on_a_bare_debian(tmp_path: Path, user: str) -> None:
    """Without git, without `venv`, without anything that the README does not name. INNERLOOP_TEST_BARE runs some of the tests only."""
    if os.geteuid() != 0:
        pytest.skip("not root: no other root can be entered")
    debian = Debian(tmp_path / "debian", user)
    demo = debian.make("demo")
    assert 0 == demo.returncode, demo.stdout[-2000:] + demo.stderr[-2000:]
    assert "What only anna sees" in demo.stdout

    some = ENVIRONMENT.get("INNERLOOP_TEST_BARE")
    tests = debian.make("test", *([f"T='{some}'"] if some else []))
    closing = tests.stdout.strip().splitlines()[-1]

    assert 0 == tests.returncode, tests.stdout[-20000:] + tests.stderr[-2000:]
    assert re.search(r"^=+ [0-9]+ passed\b", closing), closing
    listed = re.findall(r"^For more of them, on Debian: apt-get install (.*)$", tests.stdout, re.MULTILINE)
    assert [user == "somebody"] == list({"git" in packages.split() for packages in listed} or {False})
