"""In a container the host's answer holds where its mount is, and nothing is kept where it is not."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.founding import KEY
from tests.client.people import PATIENCE, eventually
from tests.client.recorder import Recorder
from tests.conftest import ROOT
from tests.container.roots import DEVELOPER, PYZ, STRANGER, Mount, Root, fragment, under_way
from tests.needs import need


def in_container(events: "list[dict[str, object]]") -> list[object]:
    """What events say, in the order of their exit status."""
    facts = [event["properties"] for event in events if event["event"] == "innerloop.run"]
    return [one["in_container"] for one in sorted(facts, key=lambda one: one["exit_status"])]  # type: ignore[index, call-overload, arg-type]


def owners(root: Root) -> set[int]:
    """To whom the files of innerloop on the host belong."""
    return {path.lstat().st_uid for top in (root.state, root.config) for path in (top, *top.rglob("*"))}


# without the mount


def test_c45_without_the_mount_a_container_gets_no_id_no_record_and_no_file(agreed: Root, alone: Root, server: Recorder) -> None:
    """A container is a machine of its own: thousands of them count as nobody, also where the host's developer said yes."""
    before = alone.files()
    alone.inside("/home/dev").mkdir()
    os.chown(alone.inside("/home/dev"), DEVELOPER, DEVELOPER)
    for uid, home in ((0, "/root"), (DEVELOPER, "/home/dev")):
        assert alone.run("make", "fail", uid=uid, env={"HOME": home}).status == 2
        assert alone.run("make", "test", uid=uid, env={"HOME": home}) == (0, "", "")
    assert alone.innerloop("status", uid=DEVELOPER, env={"HOME": "/home/dev"}).out.startswith("shop: off: nothing is recorded")
    assert before == alone.files()
    assert (0, 0) == (agreed.recorded(), server.connections)


def test_c45_at_a_terminal_it_may_invite_but_makes_no_id(alone: Root, host: Root) -> None:
    os.chown(alone.inside("/root"), DEVELOPER, DEVELOPER)
    said = alone.at_terminal(*alone.command, "run", "--", "make", "test", uid=DEVELOPER)
    assert "Look and decide: innerloop opt-in" in said.text
    assert not [path for path, data in alone.files().items() if b"user_id" in data and not path.endswith(".pyz")]
    assert alone.recorded() == 0


def test_a_yes_that_an_image_brought_along_is_nobodys_answer(agreed: Root, alone: Root) -> None:
    """The host's directories copied into the image are not its mount."""
    subprocess.run(["cp", "-a", agreed.state, alone.inside("/tmp/state")], check=True)
    for place, source in (("state", agreed.state), ("config", agreed.config)):
        alone.inside("/run/innerloop").mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", source, alone.inside(f"/run/innerloop/{place}")], check=True)
    before = alone.files()
    assert alone.run("make", "test").status == 0
    assert before == alone.files()
    alone.inside("/.dockerenv").touch()
    assert "it has files of its own" in alone.innerloop("doctor").out


def test_an_answer_without_its_mount_does_not_count(agreed: Root, alone: Root, share: Callable[[Root], Root]) -> None:
    """The state alone is mounted; beside it lies a yes that the image brought along."""
    container = share(alone)
    container.mounts = [mount for mount in container.mounts if mount.target != "/run/innerloop/config"]
    container.inside("/run/innerloop").mkdir(parents=True)
    subprocess.run(["cp", "-a", agreed.config, container.inside("/run/innerloop/config")], check=True)
    assert container.run("make", "fail").status == 2
    assert agreed.recorded() == 0
    assert "/run/innerloop/config is not mounted" in container.innerloop("doctor").out


# what is printed


def test_init_prints_the_mounts_and_writes_nothing(agreed: Root) -> None:
    before = agreed.files()
    printed, listed = agreed.innerloop("init", "--container"), agreed.innerloop("init", "--container", "--json")
    wanted = [
        Mount("/home/dev/.local/state/innerloop", "/run/innerloop/state"), Mount("/home/dev/.config/innerloop", "/run/innerloop/config"),
    ]  # fmt: skip
    assert wanted == fragment(printed.out)
    assert wanted == [Mount(one["source"], one["target"]) for one in listed.json["mounts"]]
    assert {"project": "shop", "uid": DEVELOPER} == {key: value for key, value in listed.json.items() if key != "mounts"}
    for said in (printed.err, listed.err):
        assert all(text in said for text in ("/home/dev/.config/innerloop", "4242", "To undo this", "Nothing was written"))
        assert max(map(len, said.splitlines())) <= 80
    assert before == agreed.files()


def test_init_that_cannot_says_so_in_one_line(host: Root) -> None:
    done = host.innerloop("init", "--container")
    assert (1, "", 1) == (done.status, done.out, done.err.count("\n"))
    assert "nobody answered for this project yet" in done.err


def test_init_in_the_container_itself_is_refused(container: Root) -> None:
    done = container.innerloop("init", "--container")
    assert (1, "", True) == (done.status, done.out, "made from the host" in done.err)


# with the mount


def test_root_inside_measures_for_the_developer_outside(agreed: Root, container: Root, server: Recorder) -> None:
    """Recorded inside by root, sealed and delivered outside, and all of it belongs to the developer."""
    assert container.run("make", "test") == (0, "", "")
    assert agreed.run("make", "fail").status == 2
    assert [True, False] == in_container(agreed.pending())
    assert agreed.innerloop("flush").status == 0
    assert [True, False] == in_container(server.events)
    (request,) = server.requests
    ids = {event["userId"] for event in request.events}
    (answer,) = agreed.config.glob("*.json")
    assert ids == {json.loads(answer.read_text())["anonymous_user_id"]}
    assert {DEVELOPER} == owners(agreed)
    assert 2 == agreed.ledger()["acknowledged"]


def test_sealed_inside_a_run_outside_stays_one_outside(agreed: Root, container: Root) -> None:
    assert agreed.run("make", "fail").status == 2
    assert container.run("make", "test").status == 0
    assert [True, False] == in_container(container.pending())
    assert [True, False] == in_container(agreed.pending())
    assert {DEVELOPER} == owners(agreed)


def test_the_developers_own_uid_inside_measures_as_well(agreed: Root, container: Root) -> None:
    assert container.run("make", "test", uid=DEVELOPER).status == 0
    assert [True] == in_container(agreed.pending())


def test_root_of_a_user_namespace_is_the_developer(agreed: Root, container: Root) -> None:
    """With rootless Docker and Podman, root inside is the developer outside."""
    container.become_rootless()
    if container.execute("true").status:
        pytest.skip("no user namespace can be made here: rootless containers were not tried")
    assert "uid=0(root)" in container.execute("id").out
    assert container.run("sh", "-c", "kill -TERM $$").status == -signal.SIGTERM
    assert [True] == in_container(agreed.pending())
    assert {DEVELOPER} == owners(agreed)
    assert container.innerloop("opt-out").status == 0
    assert agreed.innerloop("status").out.startswith("shop: no")


def test_home_does_not_matter_inside(agreed: Root, container: Root) -> None:
    for home in ("", "/nowhere", "/home"):
        assert container.run("make", "test", env={"HOME": home, "XDG_STATE_HOME": "/tmp/x"}).status == 0
    assert 3 == agreed.recorded()
    assert not container.inside("/tmp/x").exists()


def test_somebody_else_inside_is_not_recorded_and_learns_why(agreed: Root, container: Root) -> None:
    """Neither root nor the owner: their commands run, their questions are answered, and the host's files stay closed."""
    before = agreed.files()
    assert container.run("make", "fail", uid=STRANGER).status == 2
    assert container.run("make", "test", uid=STRANGER) == (0, "", "")
    doctor = container.innerloop("doctor", uid=STRANGER)
    assert "/run/innerloop belongs to uid 4242, and neither they nor root run this" in doctor.out
    for words in (["status"], ["opt-out"], ["show", "pending"]):
        done = container.innerloop(*words, uid=STRANGER)
        assert (1, 1, True) == (done.status, done.err.count("\n"), "belongs to uid 4242" in done.err), words
    assert before == agreed.files()


def test_root_that_may_not_become_the_owner_is_not_recorded_and_learns_why(agreed: Root, container: Root) -> None:
    """As in a container without the capability to change its uid."""
    less = ["setpriv", "--bounding-set=-setuid", "--inh-caps=-setuid"]
    before = agreed.files()
    assert container.execute(*less, *container.command, "run", "--", "make", "fail").status == 2
    assert "root may not act as uid 4242 here" in container.execute(*less, *container.command, "doctor").out
    assert before == agreed.files()


def test_a_checkout_asks_git_whoever_owns_it(agreed: Root, container: Root) -> None:
    """Git refuses a checkout of another user's, unless told otherwise; facts about it are there all the same."""
    agreed.git("init", "-q")
    agreed.git("commit", "-q", "--allow-empty", "-m", "x")
    assert container.run("make", "slow").status == 0
    subprocess.run(["chown", "-R", "0:0", agreed.inside(agreed.directory) / ".git"], check=True)
    os.chown(agreed.inside(agreed.directory), 0, 0)
    assert container.run("make", "slow").status == 0
    assert ["<1d", "<1d"] == [event["properties"]["checkout_age"] for event in agreed.pending()]


# consent on both sides


def test_an_opt_out_on_the_host_silences_the_container_at_once(agreed: Root, container: Root, server: Recorder) -> None:
    assert container.run("make", "test").status == 0
    assert agreed.innerloop("opt-out").status == 0
    assert container.run("make", "test").status == 0
    assert 1 == agreed.recorded()
    assert {"withdrawn": 1} == agreed.ledger()["dropped"]
    assert 0 == server.connections


def test_an_opt_out_inside_silences_the_host(agreed: Root, container: Root, server: Recorder) -> None:
    assert agreed.run("make", "test").status == 0
    assert container.run("make", "test").status == 0
    assert container.innerloop("opt-out").status == 0
    assert agreed.run("make", "test").status == 0
    assert agreed.innerloop("status").out.startswith("shop: no: nothing is recorded")
    assert (2, {"withdrawn": 2}) == (agreed.recorded(), agreed.ledger()["dropped"])
    assert ({DEVELOPER}, 0) == (owners(agreed), server.connections)


@pytest.mark.parametrize("inside", [True, False])
def test_opt_out_of_everything_finds_the_answer_from_either_side(agreed: Root, container: Root, inside: bool) -> None:
    """Where the answer is written down has another path on each side; `--all` needs no project file."""
    container.run("make", "test")
    leaving = container if inside else agreed
    leaving.directory = "/"
    assert leaving.innerloop("opt-out", "--all").err == "1 project is no longer measured (shop).\n"
    (answer,) = agreed.config.glob("*.json")
    assert json.loads(answer.read_text())["consent"]["decision"] is False
    assert not container.inside("/home/dev").exists()


def test_consent_withdrawn_on_the_host_while_a_command_runs_inside(agreed: Root, container: Root) -> None:
    container.run("make", "test")
    running = container.start(*container.command, "run", "--", "sleep", "1.5")
    assert eventually(lambda: under_way(agreed))
    assert agreed.innerloop("opt-out").status == 0
    assert running.wait(PATIENCE) == 0
    assert {"withdrawn": 2} == agreed.ledger()["dropped"]


def test_a_yes_typed_inside_is_an_answer_on_the_host(host: Root, agreed: Root, container: Root) -> None:
    """With the mount, what was typed at the container's terminal is kept where the developer's answers are."""
    assert agreed.innerloop("opt-out").status == 0
    assert "commands are measured from now on" in container.opt_in("yes").text
    assert agreed.run("make", "test").status == 0
    assert {DEVELOPER} == owners(agreed)
    assert 1 == len(agreed.pending())


# side by side


def test_host_and_containers_leave_each_others_caches_alone(
    agreed: Root, container: Root, new_container: Callable[..., Root], share: Callable[[Root], Root]
) -> None:  # fmt: skip
    """Device and inode of the project file are the same on all sides; what the launcher must know is not."""
    agreed.command = ["innerloop"]
    assert agreed.execute("python3", PYZ, "install").status == 0
    sides = [agreed, container, share(new_container("other", "/workspace"))]
    (answer,) = agreed.config.glob("*.json")
    os.utime(answer)
    for side in sides:
        side.run("make", "test")
    caches = written(agreed.state / "hot")
    enabled = (agreed.state / "enabled").read_text()
    for _ in range(2):
        for side in sides:
            side.run("make", "test")
    assert 3 == len(caches)
    assert caches == written(agreed.state / "hot")
    assert enabled == (agreed.state / "enabled").read_text()
    assert enabled.startswith("/home/dev/.local/share/innerloop/")
    assert 9 == agreed.recorded()


def written(directory: Path) -> dict[Path, tuple[int, int]]:
    """Which files there are, and when each was written."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in directory.iterdir()}


def test_nobody_else_inside_can_name_the_hosts_command(agreed: Root, container: Root) -> None:
    """The first line of `enabled` says what the host's shell starts: it stays the host's, also after an answer inside."""
    agreed.command = ["innerloop"]
    assert agreed.execute("python3", PYZ, "install").status == 0
    assert container.execute("python3", PYZ, "install").status == 0
    (answer,) = agreed.config.glob("*.json")
    os.utime(answer)
    agreed.run("make", "test")
    first = (agreed.state / "enabled").read_text().splitlines()[0]
    container.command = ["innerloop"]
    assert first.startswith("/home/dev/.local/share/innerloop/")
    os.utime(answer)
    container.run("make", "test")
    assert first == (agreed.state / "enabled").read_text().splitlines()[0]
    container.innerloop("opt-out")
    container.opt_in("yes")
    assert "" == (agreed.state / "enabled").read_text().splitlines()[0]
    agreed.run("make", "test")
    assert first == (agreed.state / "enabled").read_text().splitlines()[0]


# a container that is not to be trusted


def test_a_container_cannot_choose_what_the_hosts_command_starts(agreed: Root, container: Root) -> None:
    """The first line of `enabled` is a hint only: beside it must be the very file that was started."""
    agreed.command = ["innerloop"]
    assert agreed.execute("python3", PYZ, "install").status == 0
    trap = """
cd /run/innerloop/state && mkdir trap && ln -s /home/dev/.local/bin/innerloop trap/innerloop
printf '#!/bin/sh\\n: >/home/dev/trapped\\n' >trap/python && chmod 755 trap/python
printf '/home/dev/.local/state/innerloop/trap\\nkey\\n' >enabled
"""
    assert container.execute("sh", "-ec", trap).status == 0
    os.chown(agreed.state / "enabled", DEVELOPER, DEVELOPER)
    assert agreed.run("sh", "-c", "exit 3").status == 3
    assert (agreed.state / "trap" / "python").exists()
    assert not agreed.inside("/home/dev/trapped").exists()
    assert 1 == agreed.recorded()


def test_a_container_cannot_lead_the_hosts_writing_elsewhere(agreed: Root, container: Root) -> None:
    """Links in the shared directories point to the developer's own files: nothing is added to those or moved away."""
    agreed.run("make", "test")
    agreed.pending()
    precious = agreed.inside("/home/dev/.profile")
    precious.write_text("true\n")
    os.chown(precious, DEVELOPER, DEVELOPER)
    for name, words in (
        ("recorded", ["run", "--", "make", "test"]), ("unrecorded", ["run", "--", "make", "test"]), ("history", ["show", "pending"]),
        ("acknowledged", ["flush"]), ("lock", ["flush"]), ("dropped-withdrawn", ["opt-out"]),
    ):  # fmt: skip
        agreed.run("make", "test")
        (agreed.spool / name).unlink(missing_ok=True)
        (agreed.spool / name).symlink_to("/home/dev/.profile")
        assert "Traceback" not in agreed.innerloop(*words).err, name
        assert "true\n" == precious.read_text(), name
        (agreed.spool / name).unlink(missing_ok=True)
    trap = agreed.inside("/home/dev/trap")
    trap.mkdir()
    os.chown(trap, DEVELOPER, DEVELOPER)
    agreed.opt_in("yes")
    agreed.run("make", "test")
    sealed = agreed.spool / "sealed"
    for words in (["show", "pending"], ["report"], ["flush"]):
        sealed.rename(agreed.spool / f"was-{words[0]}")
        sealed.symlink_to("/home/dev/trap")
        assert "Traceback" not in agreed.innerloop(*words).err
        assert [] == list(trap.iterdir())
        sealed.unlink() if sealed.is_symlink() else shutil.rmtree(sealed)
        sealed.mkdir(mode=0o700)
        os.chown(sealed, DEVELOPER, DEVELOPER)
    sealed.rmdir()
    sealed.symlink_to("/home/dev/trap")
    assert 0 == agreed.innerloop("opt-out").status
    assert ([], []) == (list(trap.iterdir()), list((agreed.spool / "new").iterdir()))
    for name in ("/home/dev/.profile", "../../.profile", ".config/../.profile"):
        (agreed.spool / "about.json").write_text(json.dumps({"consent": name, "project": "shop"}))
        assert "Traceback" not in agreed.innerloop("opt-out", "--all").err
    assert "true\n" == precious.read_text()


# delivery


def test_a_sender_started_inside_delivers_as_the_owner(agreed: Root, container: Root, server: Recorder) -> None:
    """Installed below /root, which is root's alone: the sender starts as root, and works as the developer."""
    assert container.execute("python3", PYZ, "install").status == 0
    container.command = ["innerloop"]
    container.run("make", "test")
    container.pending()
    let_releases_pass(agreed)
    assert container.run("make", "test").status == 0
    assert eventually(lambda: len(server.events) > 0)
    assert [True] == in_container(server.events)
    assert eventually(lambda: agreed.ledger()["acknowledged"] == 1)
    assert {DEVELOPER} == owners(agreed)


def let_releases_pass(root: Root) -> None:
    """As if what was sealed had waited long enough, and delivery were due."""
    for path in (root.spool / "sealed").iterdir():
        path.write_bytes(re.sub(rb'"release": [0-9.]+', b'"release": 1.0', path.read_bytes(), count=1))
    os.utime(root.spool / "next", (0, 0))


def test_a_collector_on_the_hosts_loopback_is_left_to_the_host(host: Root, alone: Root, server: Recorder) -> None:
    """Inside, 127.0.0.1 is another machine: nothing is sent there, by itself or by `flush`, and nothing is put off."""
    project_file = host.inside(host.directory) / "innerloop.toml"
    project_file.write_text(project_file.read_text().replace("collector.test", "127.0.0.1"))
    assert "commands are measured from now on" in host.opt_in("yes").text
    alone.mounts += [Mount(str(host.inside(source)), target) for source, target in fragment(host.innerloop("init", "--container").out)]
    alone.run("make", "test")
    alone.pending()
    let_releases_pass(host)
    alone.run("make", "test")
    time.sleep(1)
    assert 0 == (host.spool / "next").stat().st_mtime
    done = alone.innerloop("flush")
    assert (1, True) == (done.status, "deliver there" in done.err)
    assert 0 == server.connections
    assert host.innerloop("flush").status == 0
    assert [True, True] == in_container(server.events)


# seed mode

NOWHERE = "http://127.0.0.1:9"  # a proxy that leads nowhere: nothing of these runs may reach the founding system


def seed_project() -> str:
    text = (ROOT / "examples" / "devstack" / "innerloop.toml").read_text()
    return (
        re.sub(r"(?m)^remotes = .*\n", "", text)
        .replace("devstack.to-be-created", KEY)
        .replace("in_container = false", "in_container = true")
    )


def test_a_seed_project_shares_the_directory_of_its_own_answer(base: Path, pyz: Path) -> None:
    host = Root(base / "seeded", pyz, "/home/dev", DEVELOPER).project("/home/dev/devstack", "", seed_project())
    host.env["https_proxy"] = NOWHERE
    assert host.at_terminal(*host.command, "opt-in", types=[("anything else to cancel", "yes")]).status == 0
    mounts = fragment(host.innerloop("init", "--container").out)
    assert Mount("/home/dev/.config/devstack", "/run/innerloop/seed/devstack") in mounts
    container = Root(base / "container", pyz, "/root", 0)
    container.mounts = [Mount(str(host.inside(source)), target) for source, target in [*mounts, ("/home/dev/devstack", "/app")]]
    container.directory = "/app"
    container.env["https_proxy"] = NOWHERE
    assert container.innerloop("wrap", "dev.provision").status == 0
    (event,) = (one for one in host.pending() if "choice" not in one["properties"])
    assert ("dev.provision", True) == (event["properties"]["command"], event["properties"]["in_container"])
    container.mounts = [mount for mount in container.mounts if "seed" not in mount.target]
    done = container.innerloop("opt-out", "--all")
    assert (1, True) == (done.status, "devstack is still measured" in done.err)
    assert 2 == len(host.pending())


# a root of its own


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_one_file_works_in_a_root_made_by_debootstrap(base: Path, pyz: Path, agreed: Root, server: Recorder) -> None:
    """Nothing of this machine is in that root but its kernel."""
    tree = base / "debian"
    command = [need("debootstrap"), "--variant=minbase", "--include=python3,make,git", "bookworm", str(tree)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    except subprocess.TimeoutExpired as error:
        pytest.skip(f"debootstrap made no root here ({error}); a mirror is needed")
    if made.returncode:
        pytest.skip(f"debootstrap made no root here: {made.stdout[-300:]}{made.stderr[-300:]}")
    debian = Root(tree, pyz, "/root", 0, borrowed=())
    debian.mounts.append(Mount(str(agreed.inside(agreed.directory)), "/app"))
    debian.directory = "/app"
    assert debian.run("make", "fail").status == 2
    assert 0 == agreed.recorded()
    debian.mounts += [Mount(str(agreed.inside(source)), target) for source, target in fragment(agreed.innerloop("init", "--container").out)]
    assert debian.execute("python3", PYZ, "install", "--to", "/usr/local").status == 0
    debian.command = ["innerloop"]
    assert debian.run("make", "fail").status == 2
    assert debian.run("sh", "-c", "kill -TERM $$").status == -signal.SIGTERM
    assert agreed.innerloop("flush").status == 0
    assert [True, True] == in_container(server.events)
    assert {DEVELOPER} == owners(agreed)
    assert debian.innerloop("opt-out").status == 0
    assert agreed.innerloop("status").out.startswith("shop: no")
