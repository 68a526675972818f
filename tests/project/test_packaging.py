"""What the two distributions promise, and what the lock file may hold."""

import re
import tomllib
import zipfile
from typing import Any

import pytest
from fetch_demo_source import unpack

from locked import Artefact, download, locked
from tests.conftest import ROOT, Installed


def metadata(package: str) -> dict[str, Any]:
    """Return a distribution's [project] table."""
    document = tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text(encoding="utf-8"))
    table: dict[str, Any] = document["project"]
    return table


def test_the_client_has_no_dependencies() -> None:
    """For ever: a sceptical developer reads all of it."""
    assert [] == metadata("client")["dependencies"]
    assert ">=3.9" == metadata("client")["requires-python"]


def test_the_wheels_hold_what_they_need(installed: Installed) -> None:
    """Types are marked, the plan is inside, and no test or tool is."""
    for wheel in installed.wheels.glob("*.whl"):
        names = zipfile.ZipFile(wheel).namelist()
        assert any(name.endswith("/py.typed") for name in names)
        assert not [name for name in names if re.match(r"(tests|tools|docs)/", name)]
    client = zipfile.ZipFile(next(installed.wheels.glob("innerloop-*.whl"))).namelist()
    assert "innerloop/core/plan/plan.json" in client


def test_the_lock_names_the_public_index_only() -> None:
    """Whoever clones this can install it."""
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text(encoding="utf-8")))

    assert {"pypi.org", "files.pythonhosted.org"} == hosts


def test_what_setup_fetches_is_locked_with_hashes() -> None:
    """Uv and the demo's source have address and SHA-256 in the lock file."""
    assert all(re.fullmatch("[0-9a-f]{64}", wheel.sha256) for wheel in locked("uv").wheels)
    sdist = locked("lupa").sdist
    assert sdist
    assert re.fullmatch("[0-9a-f]{64}", sdist.sha256)


def test_a_download_that_is_not_the_locked_one_is_refused(tmp_path: Any) -> None:
    """Whatever stands at the address, only the locked bytes are used."""
    (tmp_path / "archive").write_bytes(b"something else")
    with pytest.raises(ValueError, match="SHA-256"):
        download(Artefact((tmp_path / "archive").as_uri(), "0" * 64))


def test_an_archive_without_lua_is_refused(tmp_path: Any) -> None:
    """It must hold what the demo builds."""
    archive = tmp_path / "empty.zip.tar"
    archive.write_bytes(b"\0" * 10240)
    with pytest.raises(ValueError, match="Makefile"):
        unpack(archive.read_bytes(), tmp_path / "lua")
