"""`innerloop init` fills in what an earlier one left blank: nothing else changes, and nothing that stands there is overwritten."""

import json
import tomllib

import pytest

from tests.setup.conftest import ANSWERS, Repository

FLAGS = ("--organisation", "Example", "--endpoint", "https://x.example", "--write-key", "shop.secret")


def test_what_an_earlier_init_left_blank_is_filled_in(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.init("--project", "shop")
    before = repository.bytes("innerloop.toml")
    assert b"organisation and endpoint and write_key filled in" in repository.init(*FLAGS).out

    project = tomllib.loads(repository.bytes("innerloop.toml").decode())["project"]
    assert {"id": "shop", "organisation": "Example", "endpoint": "https://x.example", "write_key": "shop.secret"} == project
    changed = [one for one in zip(before.splitlines(), repository.bytes("innerloop.toml").splitlines(), strict=True) if one[0] != one[1]]
    assert 3 == len(changed)
    assert b"to fill in" not in repository.bytes("innerloop.toml")
    assert b"There is nothing to change." in repository.init(*FLAGS).out
    assert b"ok  project file" in repository.run(str(repository.innerloop), "doctor").out
    repository.init("--uninstall")
    assert not repository.has("innerloop.toml")


def test_one_field_after_the_other_is_filled_in(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.init("--project", "shop")
    for number in (0, 2, 4):
        assert 0 == repository.init(*FLAGS[number : number + 2]).status

    assert 0 == len(json.loads(repository.init("--json").out)["to_fill_in"])


@pytest.mark.parametrize(
    "text",
    [
        '[project]\r\nid = "shop"\r\norganisation=\'\'\r\nendpoint = ""\r\nwrite_key = ""\r\n',
        '# [project]\n[names]\nallow = []\n[ project ] # x\nid = "shop"',
        "[project]\nid = 'shop'\n  organisation  =  \"\"  # mine\n[wording]\npurpose = '''\norganisation = \"\"\n'''\n",
    ],
)
def test_files_of_ones_own_are_filled_in_and_every_other_byte_stays(repository: Repository, text: str) -> None:
    repository.write("innerloop.toml", text)
    done = repository.init("--way", "none", *FLAGS)

    after = repository.bytes("innerloop.toml").decode()
    assert 0 == done.status, done.err
    assert "# mine" not in text or "# mine" in after
    wanted = tomllib.loads(text)
    wanted["project"] |= {"organisation": "Example", "endpoint": "https://x.example", "write_key": "shop.secret"}
    assert wanted == tomllib.loads(after)
    assert text.count("\r\n") == 0 or after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize(
    "address", ["x.example", "ftp://x.example", "https://", "http://x:port", "https://a@x.example", "https://x y", "/tmp", "?"]
)
@pytest.mark.parametrize("there", [False, True])
def test_an_address_that_is_none_is_refused(repository: Repository, there: bool, address: str) -> None:
    repository.write("Makefile", "test: ; @true")
    if there:
        repository.init("--project", "shop")
    before = repository.tree()
    done = repository.init("--endpoint", address)

    assert (1, b"", 1) == (done.status, done.out, len(done.err.splitlines()))
    assert b"project.endpoint must be an http or https address" in done.err
    assert before == repository.tree()


def test_what_stands_in_the_file_is_not_overwritten(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.init(*ANSWERS)
    before = repository.tree()
    for words in (
        ("--organisation", "Other"),
        ("--project", "other"),
        ("--write-key", "shop.other"),
        ("--endpoint", "https://other.example"),
    ):
        done = repository.init(*words)

        assert 1 == done.status
        assert b"innerloop.toml says already" in done.err
    assert before == repository.tree()
