"""Two roots on this machine: a host with a developer's home, and containers that mount what they are given.

A root is a tree of its own whose /usr and /etc are this machine's, read-only; every command in it gets a private mount
namespace and a chroot, and nothing of it is left when the command has ended.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pexpect

from tests.client.people import ANSWER_PROMPT, MAKEFILE, PATIENCE, Ended, Said, toml

DEVELOPER = 4242  # uid and gid of the developer on the host


STRANGER = 4300


PYZ = "/opt/innerloop.pyz"


COLLECTOR = "collector.test"  # a name for this machine's loopback that is not recognised as such


ENTER = """
root=$1; shift
for directory in $1; do
    mount --bind "/$directory" "$root/$directory"
    mount -o remount,bind,ro "$root/$directory"
done
mount --rbind /dev "$root/dev"
mount --bind /proc "$root/proc"
mount --bind "$root/opt/hosts" "$root/etc/hosts"
shift
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    shift 2
done
shift
exec chroot "$@"
"""


class Mount(NamedTuple):
    """A bind mount, as a compose fragment asks for it."""

    source: str
    target: str


def fragment(text: str) -> list[Mount]:
    """Read the mounts out of a compose fragment, which must have nothing else."""
    mount = r' +- type: bind\n +source: "([^"\n]*)"\n +target: (\S+)\n +bind:\n +create_host_path: false\n'
    whole = re.fullmatch(rf"#[^\n]*\nservices:\n  app:[^\n]*\n    volumes:\n((?:{mount})+)", text)
    assert whole, text
    return [Mount(source.replace("$$", "$"), target) for source, target in re.findall(mount, whole[1])]


class Root:
    """A root file system, and how somebody runs commands in it."""

    def __init__(self, tree: Path, pyz: Path, home: str, uid: int, borrowed: Sequence[str] = ("usr", "etc")) -> None:
        self.tree = tree
        self.home = home
        self.uid = uid
        self.directory = "/"
        self.borrowed = borrowed
        self.rootless = False
        self.mounts: list[Mount] = []
        for name in ("usr", "etc", "dev", "proc", "tmp", "run", "root", "home", "opt"):
            (tree / name).mkdir(parents=True, exist_ok=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            if not (tree / name).exists() and Path(f"/{name}").is_symlink():
                (tree / name).symlink_to(os.readlink(f"/{name}"))
        (tree / "tmp").chmod(0o1777)
        (tree / "root").chmod(0o700)
        if "etc" not in borrowed:
            (tree / "etc" / "hosts").touch()
        (tree / "opt" / "hosts").write_text(f"127.0.0.1 localhost {COLLECTOR}\n")
        shutil.copy(pyz, tree / "opt")
        self.inside(home).mkdir(exist_ok=True)
        os.chown(self.inside(home), uid, uid)
        self.command = ["python3", PYZ]
        self.env = {"HOME": home, "PATH": f"{home}/.local/bin:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm"}

    def inside(self, path: str) -> Path:
        """Where a path of this root is on this machine, mounts left aside."""
        return self.tree / path.lstrip("/")

    def words(self, command: Sequence[str], uid: int | None = None, env: dict[str, str] | None = None) -> list[str]:
        """What to run on this machine so that a command runs in this root."""
        uid = self.uid if uid is None else uid
        pairs = [f"{key}={value}" for key, value in {**self.env, **(env or {})}.items()]
        mounts = [word for mount in self.mounts for word in mount]
        setting = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", ENTER, "sh", str(self.tree), " ".join(self.borrowed)]
        who = [f"--userspec={uid}:{uid}", f"--groups={uid}"]
        if self.rootless:
            setting[:1] = ["setpriv", f"--reuid={DEVELOPER}", f"--regid={DEVELOPER}", "--clear-groups", "unshare", "--map-root-user"]
            who = []
        return [*setting, *mounts, "--", *who, str(self.tree), "env", "-i", "-C", self.directory, *pairs, *command]

    def execute(self, *command: str, uid: int | None = None, env: dict[str, str] | None = None, **options: Any) -> Ended:
        """Run a command to its end, without a terminal."""
        done = subprocess.run(
            self.words(command, uid, env), stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False, **options
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def innerloop(self, *words: str, **options: Any) -> Ended:
        return self.execute(*self.command, *words, **options)

    def run(self, *command: str, **options: Any) -> Ended:
        return self.innerloop("run", "--", *command, **options)

    def start(self, *command: str, **options: Any) -> "subprocess.Popen[bytes]":
        """Start a command whose process is the one that is started, not some shell's."""
        return subprocess.Popen(
            self.words(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
        )  # fmt: skip

    def at_terminal(self, *command: str, types: Sequence[tuple[str, str]] = (), uid: int | None = None) -> Said:
        """Run a command at a terminal; `types` says after which text which line is typed."""
        first, *rest = self.words(command, uid)
        child = pexpect.spawn(first, rest, encoding="utf-8", timeout=PATIENCE, dimensions=(50, 200))
        child.delaybeforesend = None
        shown = ""
        for after, line in types:
            child.expect(after)
            shown += child.before + child.after
            child.sendline(line)
        child.expect(pexpect.EOF)
        shown += child.before
        child.wait()
        child.close()
        return Said(int(child.exitstatus if child.signalstatus is None else -child.signalstatus), shown.replace("\r\n", "\n"))

    def opt_in(self, answer: str) -> Said:
        return self.at_terminal(*self.command, "opt-in", types=[(ANSWER_PROMPT, answer)])

    def files(self) -> dict[str, bytes]:
        """Every file that this root has of its own, with its bytes."""
        tops = [self.tree / name for name in ("home", "root", "tmp", "run", "opt")]
        return {str(path): path.read_bytes() for top in tops for path in top.rglob("*") if path.is_file()}

    def become_rootless(self) -> None:
        """From now on root in here is the developer of the host in a user namespace, as with rootless Docker and Podman."""
        for mount in self.mounts:
            self.inside(mount.target).mkdir(parents=True, exist_ok=True)
        subprocess.run(["chown", "-Rh", f"{DEVELOPER}:{DEVELOPER}", self.tree], check=True)
        self.rootless = True

    # what the developer of the host has

    @property
    def state(self) -> Path:
        return self.inside(f"{self.home}/.local/state/innerloop")

    @property
    def config(self) -> Path:
        return self.inside(f"{self.home}/.config/innerloop")

    @property
    def spool(self) -> Path:
        (only,) = (self.state / "spool").iterdir()
        return only

    def recorded(self) -> int:
        """How many runs were recorded, finished or not."""
        return sum(journal.stat().st_size // 32 for journal in self.state.glob("spool/*/recorded"))

    def pending(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.innerloop("show", "pending", "--json").json
        return events

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = self.innerloop("doctor", "--json").json["ledger"]
        assert (ledger["adds_up"], ledger["missing"]) == (True, 0), ledger
        return ledger

    def project(self, directory: str, endpoint: str, text: str = "", **tables: Any) -> "Root":
        """Stand in a checkout of a project that belongs to this root's developer."""
        self.directory = directory
        place = self.inside(directory)
        place.mkdir(parents=True)
        usual: dict[str, Any] = {
            "project": {
                "id": "shop", "name": "shop", "organisation": "Example Org", "endpoint": endpoint, "write_key": "shop.first",
                "region": "EU", "contact": "ask@example.org",
            },
            "names": {"allow": ["test", "build", "fail", "slow", "true"]},
        }  # fmt: skip
        (place / "Makefile").write_text(MAKEFILE + "\n.PHONY: impl-dev.provision\nimpl-dev.provision:\n\t@true\n")
        (place / "innerloop.toml").write_text(text or toml({**usual, **tables}))
        for path in (place, *place.iterdir()):
            os.chown(path, self.uid, self.uid)
        return self

    def git(self, *words: str) -> Ended:
        who = {f"GIT_{role}_{what}": "d@d" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = self.execute("git", *words, env=who)
        assert done.status == 0, done
        return done


def under_way(root: Root) -> list[str]:
    """The runs that have begun and not ended; what git said about one lies beside it."""
    return [path.name for path in (root.spool / "run").iterdir() if not path.suffix]
