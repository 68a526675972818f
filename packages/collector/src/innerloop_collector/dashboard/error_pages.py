"""What a page says where it cannot show what was asked for: one sentence, and ways on."""

from starlette.requests import Request

from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.words import listed

Way = tuple[str, str]  # text, and address


class PageError(Exception):
    """A request that is answered with a page that says why not."""

    def __init__(self, status: int, title: str, sentence: str, ways: tuple[Way, ...] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.title = title
        self.sentence = sentence
        self.ways = ways


def unknown_filter(name: str, allowed: list[str], path: str) -> PageError:
    """A parameter that the page does not have."""
    said = f"this page has {listed(allowed)}" if allowed else "this page has none"
    return PageError(400, "This filter does not exist", f"There is no filter {name!r} here; {said}.", (("The page without filters", path),))


def unknown_value(name: str, value: str, allowed: list[str], path: str) -> PageError:
    """A value that a parameter does not take."""
    sentence = f"{name} cannot be {value[:60]!r}; it can be {listed(allowed)}."
    return PageError(400, "This filter has no such value", sentence, (("The page without filters", path),))


def no_such_page() -> PageError:
    """Nothing is at the address."""
    return PageError(
        404, "There is no such page", "Nothing is at this address. It may have been mistyped.", (("All projects", "/projects"),)
    )


def takes_no_form(path: str) -> PageError:
    """Something was posted to a page that has no form."""
    return PageError(405, "This page takes no form", "Nothing was done: what was sent belongs to another page.", (("The page", path),))


def not_seen() -> PageError:
    """Somebody's access does not cover a project, be there one or not."""
    sentence = "Your access covers other projects. Ask whoever runs the collector."
    return PageError(403, "You may not see this project", sentence, (("All projects", "/projects"),))


def unknown_project() -> PageError:
    """Nothing is registered under a name."""
    sentence = "No project of this name is registered here: innerloop-collector projects apply innerloop.toml does that."
    return PageError(404, "There is no such project", sentence, (("All projects", "/projects"),))


def silent(address: str) -> PageError:
    """The store does not answer now."""
    sentence = "Nothing is lost: clients keep what was not acknowledged."
    return PageError(503, "The store did not answer", sentence, (("Try again", address),))


def unmade() -> PageError:
    """Something failed that nobody foresaw."""
    sentence = "Something failed here; the collector's log says what. What was sent to it is not lost."
    return PageError(500, "This page could not be made", sentence, (("All projects", "/projects"),))


def here(request: Request) -> str:
    """The address that was asked for."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def sentence(error: Exception) -> str:
    """What an error says, as a sentence."""
    return words.sentence(str(error))
