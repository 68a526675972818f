"""The page of a run in Debian's chromium, opened from the disk: what it asks, how it moves, whether everybody can read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from innerloop.tools.timeline.explanation import explain
from innerloop.tools.timeline.page import page as written
from innerloop.tools.timeline.runs import ENDED, Known
from tests.client.target_logs import BASE, HandMade, understand
from tests.needs import need

AXE = (Path(__file__).parent.parent / "dashboard" / "vendored" / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
NOTE_VIOLATIONS = (
    "window.violations = []; document.addEventListener('securitypolicyviolation', (one) => violations.push(one.violatedDirective))"
)
LATE = 16.0  # ms in which a picture of a moving page has to be drawn


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=need("chromium"))
        yield started
        started.close()


def large(targets: int, lanes: int = 8) -> HandMade:
    """A parallel build in directories, some of whose targets need each other, with two failures."""
    book, moments = HandMade(), [0] * lanes
    deps = book.line("deps", 0, targets * 100 // lanes, flags="jk")
    failing = (targets // 10 * 5 + 2, targets - 1)  # nothing needs them, or make would have gone on because it ignored that
    for number in range(targets):
        lane = number % lanes
        length = 20 + number * 7919 % 160
        where = {"under": deps, "make": 20, "directory": "/shop/deps"} if number % 3 == 0 else {}
        needs = f"src/part_{number - lanes:05}.o" if number >= lanes and number % 5 else ""
        start = max(moments[lane], 1)
        name = f"src/part_{number:05}.o"
        book.line(name, start, start + length, int(number in failing), needs=needs, flags="jk", **where)  # type: ignore[arg-type]
        moments[lane] = start + length + 2
    return book


def save(path: Path, book: HandMade, status: int = 2) -> Path:
    """The page of a build as a file."""
    run = Known("3f2a91c0-0000-4000-8000-000000000000", "make -j8 all", 0.0, ENDED, status, awake_ns=BASE)
    log = understand(book.data, status)
    path.write_text(written(run, log, explain(run, log, 8), "24 Nov 10:12:07", "failed (2)" if status else "done"))
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of 60 targets."""
    return save(tmp_path_factory.mktemp("page") / "run.html", large(60))


class Window:
    """A page from the disk, and whatever its browser objects to."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.objections: list[str] = []
        page.add_init_script(NOTE_VIOLATIONS)
        page.on("console", lambda one: self.objections.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda one: self.objections.append(str(one)))
        page.on("request", lambda one: self.objections.append(one.url) if one.url != file.as_uri() else None)
        page.goto(file.as_uri())

    def refused(self) -> list[str]:
        return [*self.objections, *self.page.evaluate("window.violations")]

    def view(self) -> tuple[int, int]:
        """What is shown, in microseconds."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        start, _, end = self.page.evaluate("document.getElementById('chart').dataset.view").partition("-")
        return int(start), int(end)

    def said(self) -> str:
        """What the drawing says of the bar that is chosen."""
        return self.page.inner_text("#readout")


@contextmanager
def window(browser: Browser, file: Path, **wanted: Any) -> Iterator[Window]:
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "offline": True, **wanted})
    try:
        yield Window(context.new_page(), file)
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it_at_any_width_and_it_asks_nobody(browser: Browser, file: Path, scheme: str) -> None:
    with window(browser, file, color_scheme=scheme) as one:
        one.page.evaluate(AXE)
        for width in (1440, 820, 390, 320):
            one.page.set_viewport_size({"width": width, "height": 900})
            one.view()
            assert one.page.evaluate("document.documentElement.scrollWidth") <= width
            found = one.page.evaluate("(rules) => axe.run(document, rules)", RULES)["violations"]
            assert [] == [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]
        assert [] == one.refused()


def test_keys_move_zoom_and_reach_every_step_and_failure(browser: Browser, file: Path) -> None:
    with window(browser, file) as one:
        start, end = one.view()
        one.page.focus("#chart")
        one.page.keyboard.press("+")
        closer = one.view()
        assert start < closer[0] < closer[1] < end
        one.page.keyboard.press("ArrowRight")
        assert one.view()[0] > closer[0]
        one.page.keyboard.press("Home")
        assert one.view()[0] == 0
        one.page.keyboard.press("End")
        assert one.view()[1] == end
        one.page.keyboard.press("0")
        assert (start, end) == one.view()

        flags = one.page.evaluate(
            "(() => { const b = JSON.parse(document.getElementById('run').textContent).bars; return b.filter((_, n) => n % 7 === 5) })()"
        )
        for key, wanted in (("c", lambda flag: flag & 1 and not flag & 8), ("f", lambda flag: flag & 2)):
            count = sum(1 for flag in flags if wanted(flag))
            told = set()
            for _ in range(count):
                one.page.keyboard.press(key)
                told.add(one.said())
            assert count == len(told) > 0
            one.page.keyboard.press(f"Shift+{key.upper()}")
            assert one.said() in told
        assert [] == one.refused()


def test_a_search_counts_and_goes_from_match_to_match(browser: Browser, file: Path) -> None:
    with window(browser, file) as one:
        one.page.fill("#find", "part_0001")
        assert "10 of 61" == one.page.inner_text("#found")
        told = [one.page.keyboard.press("Enter") or one.said() for _ in range(11)]
        assert all(text.startswith("src/part_0001") for text in told)
        assert (10, told[0]) == (len(set(told)), told[10]), "each once, by their starts, and round again"
        one.page.fill("#find", "nothing")
        assert "0 of 61" == one.page.inner_text("#found")


def test_names_in_tables_and_bars_in_the_drawing_can_be_chosen(browser: Browser, file: Path) -> None:
    with window(browser, file) as one:
        whole = one.view()
        one.page.locator("td button, th button").first.click()
        assert "took " in one.said()
        assert one.view() != whole or "on the critical path" in one.said()
        one.page.click("#whole")
        box = one.page.locator("#chart canvas").bounding_box()
        assert box
        one.page.mouse.click(box["x"] + box["width"] * 0.1, box["y"] + 75)
        assert one.said().startswith("src/part_")
        one.page.click("#zoom-in")
        before = one.view()
        one.page.mouse.move(box["x"] + 300, box["y"] + 100)
        one.page.mouse.down()
        one.page.mouse.move(box["x"] + 200, box["y"] + 100, steps=3)
        one.page.mouse.up()
        assert one.view()[0] > before[0]


def test_without_scripts_the_tables_are_there(browser: Browser, file: Path) -> None:
    with window(browser, file, java_script_enabled=False) as one:
        text = one.page.inner_text("main")
        assert "The drawing needs JavaScript; the tables below do not." in text
        assert "Longest steps on the critical path" in text
        assert "Why, and what would help" in text


@pytest.mark.parametrize("targets", [0, 1])
def test_a_run_with_hardly_any_target_looks_right(browser: Browser, tmp_path: Path, targets: int) -> None:
    book = HandMade()
    if targets:
        book.line("a", 0, 500)
    with window(browser, save(tmp_path / "run.html", book, 0)) as one:
        assert [] == one.refused()
        assert one.page.locator("#chart").count() == targets


@pytest.mark.slow
@pytest.mark.parametrize("targets", [5_000, 50_000])
def test_a_large_build_is_drawn_smoothly(browser: Browser, tmp_path: Path, targets: int) -> None:
    with window(browser, save(tmp_path / "run.html", large(targets, 32))) as one:
        one.page.focus("#chart")
        one.page.evaluate("performance.clearMeasures()")
        took = one.page.evaluate(
            """async () => {
                const chart = document.getElementById("chart"), times = [];
                for (const key of ["+", "+", "+", "ArrowRight", "ArrowRight", "-", "-", "ArrowLeft", "c", "f", "0"].flatMap((one) => [one, one, one])) {
                    chart.dispatchEvent(new KeyboardEvent("keydown", { key }));
                    await new Promise((done) => requestAnimationFrame(() => done()));
                    const began = performance.now();
                    dispatchEvent(new Event("beforeprint"));  // draws at once
                    times.push(performance.now() - began);
                }
                return times.sort((one, other) => one - other);
            }"""
        )
        print(f"{targets} targets: a picture takes {took[len(took) // 2]:.1f} ms, 95 of 100 at most {took[len(took) * 95 // 100]:.1f} ms")
        assert took[len(took) * 95 // 100] < LATE * (1 if targets <= 5_000 else 5)
        assert [] == one.refused()
