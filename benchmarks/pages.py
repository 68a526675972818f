"""How long the dashboard's pages take: on the collector, and until something is painted in a browser.

usage: pages.py [DATA]

DATA is a collector's data directory, such as DIR/collector after `make demo-team DEMO="--keep DIR"`. Without it a smaller simulated team is made first. Pages read
published figures and no row, so the size of the store does not matter; the number of weeks that are published does.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
from playwright.sync_api import Browser, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "tools")]
from screenshots import CHROMIUM, PAGES, PROJECT, serving, wait_until_drawn  # noqa: E402 - found by the line above

MEASURED = ("projects", "overview", "targets", "command", "privacy")
TIMES = 20
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main(arguments: list[str]) -> None:
    """Measure the pages of a store."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(arguments[0]) if arguments else _small_team(Path(directory))
        with serving(data) as (address, link):
            cookie = httpx2.get(link, trust_env=False).headers["set-cookie"].partition(";")[0]
            _on_the_collector(address, cookie)
        if Path(CHROMIUM).exists():
            with serving(data) as (address, link):
                _in_a_browser(address, link)


def _small_team(directory: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "innerloop_collector.cli",
        "demo",
        "--team",
        "--developers",
        "20",
        "--weeks",
        "20",
        "--keep",
        str(directory / "team"),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return directory / "team" / "collector"


def _on_the_collector(address: str, cookie: str) -> None:
    print("milliseconds until the page is there    first   then p50   p95   bytes packed")
    with httpx2.Client(trust_env=False, base_url=address, headers={"Cookie": cookie, "Accept": "text/html"}, timeout=60) as client:
        for name in MEASURED:
            taken = []
            size = 0
            for _ in range(TIMES + 1):
                began = time.perf_counter()
                with client.stream("GET", PAGES[name].format(project=PROJECT)) as answer:
                    size = sum(map(len, answer.iter_raw()))
                assert answer.status_code == 200
                taken.append(1000 * (time.perf_counter() - began))
            first, then = taken[0], sorted(taken[1:])
            print(f"{name:36} {first:8.0f} {statistics.median(then):10.0f} {then[int(0.95 * TIMES) - 1]:5.0f} {size:14,}")


def _in_a_browser(address: str, link: str) -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM)
        print("milliseconds until first paint           cold       warm")
        context = browser.new_context()
        context.new_page().goto(link)
        session = context.storage_state()
        for name in MEASURED:
            print(f"{name:36} {_paint(browser, session, address + PAGES[name].format(project=PROJECT))}")
        browser.close()


def _paint(browser: Browser, session: object, url: str) -> str:
    """With nothing in the browser's cache, and with everything."""
    context = browser.new_context(storage_state=session)  # type: ignore[arg-type]
    page = context.new_page()
    taken = []
    for _ in range(6):
        page.goto(url)
        wait_until_drawn(page)
        taken.append(float(page.evaluate(_PAINT)))
    context.close()
    return f"{taken[0]:9.0f} {statistics.median(taken[1:]):10.0f}"


if __name__ == "__main__":
    main(sys.argv[1:])
