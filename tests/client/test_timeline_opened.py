"""Trace files opened by speedscope itself, its published package in a browser; it reads its own format and the Trace Event Format."""

import base64
import json
import subprocess
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from innerloop.core.targets.target_log import Log
from innerloop.tools.timeline import traces
from innerloop.tools.timeline.runs import ENDED, Known
from tests.client.target_logs import BASE, HandMade, understand
from tests.needs import need

VERSION = tomllib.loads((Path(__file__).parent / "vendored" / "vendored.toml").read_text())["speedscope.schema.json"]["version"]


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speedscope's page, out of its package."""
    place = tmp_path_factory.mktemp("speedscope")
    npm = need("npm")
    done = subprocess.run([npm, "pack", f"speedscope@{VERSION}"], cwd=place, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"NOT TESTED: the package cannot be fetched: {done.stderr[-300:]}")
    with tarfile.open(next(place.glob("*.tgz"))) as archive:
        for member in archive.getmembers():
            if member.isfile() and ".." not in Path(member.name).parts and not member.name.startswith("/"):
                path = place / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                source = archive.extractfile(member)
                path.write_bytes(source.read() if source else b"")
    return place / "package" / "dist" / "release" / "index.html"


@pytest.mark.slow
@pytest.mark.parametrize("style", [traces.speedscope, traces.perfetto], ids=["speedscope", "trace events"])
def test_speedscope_opens_what_is_written_for_it(application: Path, tmp_path: Path, style: Callable[[Known, Log], dict[str, Any]]) -> None:
    run = Known("0f3c", "make all", 0.0, ENDED, 2, awake_ns=BASE)
    text = json.dumps(style(run, understand(HandMade().recursive().data, 2)))
    local = tmp_path / "run.js"  # as its command line hands a file over
    local.write_text(f"speedscope.loadFileFromBase64('run.json', '{base64.b64encode(text.encode()).decode()}')")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=need("chromium"))
        page = browser.new_page()
        said: list[str] = []
        page.on("pageerror", lambda one: said.append(str(one)))
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.on("dialog", lambda one: (said.append(one.message), one.dismiss()))
        page.goto(f"{application.as_uri()}#localProfilePath={local}")
        page.wait_for_function("document.body.innerText.includes('lane 1')", timeout=20_000)
        browser.close()

    assert [] == said
