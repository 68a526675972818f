"""A spool that somebody else wrote into: a record, a sealed run or a list that this client did not write counts for nothing."""

import re
from collections.abc import Callable

import pytest

from innerloop.core.spool import layout
from tests.client.people import Developer
from tests.client.recorder import Recorder


@pytest.mark.parametrize("root", ["innerloop.toml", "/", "//x/innerloop.toml", "/a/../innerloop.toml", "a/innerloop.toml", ""])
def test_a_record_whose_project_file_has_no_plain_path_is_none_of_ours(agreed: Developer, server: Recorder, root: str) -> None:
    agreed.run("make", "test")
    (record,) = agreed.place("new")
    text = record.read_text()
    record.write_text(text.replace(f"root {agreed.project_file}", f"root {root}"))
    assert text != record.read_text()
    agreed.flush(timeout=15)

    assert [] == server.events
    assert (agreed.spool / "quarantine" / f"{record.name}.reason").read_text() == "unreadable"


FAR = 10**18  # ns: 31 years


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        pytest.param("start", lambda wall, awake, boot: (-1, awake, boot), id="start-before 1970"), ("start", lambda wall, awake, boot: (4_102_444_800 * 10**9, awake, boot)),
        ("start", lambda wall, awake, boot: (f"+{wall}", awake, boot)), ("start", lambda wall, awake, boot: (wall, -1, boot)),
        ("start", lambda wall, awake, boot: (wall, awake, -FAR)), ("start", lambda wall, awake, boot: (wall, awake, "9" * 19)),
        ("start", lambda wall, awake, boot: (wall, awake, f"1_{boot}")), ("end", lambda status, awake, boot: (256, awake, boot)),
        ("end", lambda status, awake, boot: (-129, awake, boot)), ("end", lambda status, awake, boot: (status, -1, boot)),
        ("end", lambda status, awake, boot: (status, "9" * 19, boot)), ("end", lambda status, awake, boot: (status, awake, -1)),
        ("end", lambda status, awake, boot: (status, awake, 3 * FAR)), ("end", lambda status, awake, boot: ("\u0661", awake, boot)),
    ],
)  # fmt: skip
def test_a_record_with_a_number_that_cannot_be_is_none_of_ours(
    agreed: Developer, server: Recorder, line: str, changed: Callable[[int, int, int], tuple[object, ...]]
) -> None:
    for _ in range(2):
        agreed.run("make", "test")
    record = agreed.place("new")[0]
    text = record.read_text()
    values = re.search(rf"^{line} (\d+) (\d+) (\d+)$", text, re.MULTILINE)
    assert values is not None
    words = " ".join(map(str, changed(*map(int, values.groups()))))
    record.write_text(text.replace(values[0], f"{line} {words}"))
    assert agreed.flush(timeout=15).status == 0

    assert 1 == len(server.events)
    assert (agreed.spool / "quarantine" / f"{record.name}.reason").read_text() == "unreadable"
    assert 1 == agreed.ledger()["quarantined"]


def test_a_relative_path_in_a_list_of_project_files_reads_nothing(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    below = agreed.directory / "sub"
    below.mkdir()
    (below / "innerloop.toml").write_text(agreed.project_file.read_text().replace("shop.first", "shop.second"))
    with (agreed.spool / "roots").open("ab") as roots:
        roots.write(b"/a/../innerloop.toml\0./innerloop.toml\0sub/innerloop.toml\0")
    agreed.flush()

    assert ["shop.first"] == [request.key for request in server.requests]
    assert [str(agreed.project_file)] == layout.roots(str(agreed.spool))


@pytest.mark.parametrize("root", ["sub/innerloop.toml", "/a/../innerloop.toml", "//x/innerloop.toml"])
def test_a_sealed_run_whose_project_file_has_no_plain_path_is_none_of_ours(agreed: Developer, server: Recorder, root: str) -> None:
    agreed.run("make", "test")
    agreed.pending()
    (sealed,) = agreed.place("sealed")
    text = sealed.read_text()
    sealed.write_text(text.replace(str(agreed.project_file), root))
    assert text != sealed.read_text()
    agreed.flush(timeout=15)

    assert [] == server.events
    assert (agreed.spool / "quarantine" / f"{sealed.name}.reason").read_text() == "damaged"


@pytest.mark.parametrize("release", ["-1", "true", '"1"', "1e39", "17179869184"])
def test_a_sealed_run_that_leaves_at_no_moment_is_none_of_ours(agreed: Developer, server: Recorder, release: str) -> None:
    agreed.run("make", "test")
    agreed.pending()
    (sealed,) = agreed.place("sealed")
    sealed.write_text(re.sub('"release": [0-9.]+', f'"release": {release}', sealed.read_text(), count=1))
    agreed.flush(timeout=15)

    assert [] == server.events
    assert (agreed.spool / "quarantine" / f"{sealed.name}.reason").read_text() == "damaged"
