"""Files that pages need: each under an address with its own hash, so that a browser may keep it for ever, and compressed once."""

import gzip
import hashlib
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

PREFIX = "/static/"
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


class StaticFile:
    """One file, as it is served."""

    def __init__(self, place: Traversable) -> None:
        self.content = place.read_bytes()
        stem, _, suffix = place.name.rpartition(".")
        self.name = f"{stem}.{hashlib.sha256(self.content).hexdigest()[:16]}.{suffix}"
        self.media = _MEDIA[f".{suffix}"]

    @cached_property
    def compressed(self) -> bytes:
        """It with gzip, made when it is first asked for."""
        return gzip.compress(self.content, 9, mtime=0)


class StaticFiles:
    """Every file of the package's folder `static`, by its plain name and by the one with its hash."""

    def __init__(self) -> None:
        folder = files(__package__).joinpath("static")
        places = [*folder.iterdir(), *folder.joinpath("vendored").iterdir()]
        self._plain = {place.name: StaticFile(place) for place in places if place.name.endswith(tuple(_MEDIA))}
        self._hashed = {one.name: one for one in self._plain.values()}

    def address(self, name: str) -> str:
        """Where a file is served."""
        return PREFIX + self._plain[name].name

    def answer(self, request: Request) -> Response | None:
        """The file that is asked for. None: there is none of that name and hash."""
        found = self._hashed.get(request.path_params["file"])
        if found is None:
            return None
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(found.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.media)
        return Response(found.content, headers=headers, media_type=found.media)
