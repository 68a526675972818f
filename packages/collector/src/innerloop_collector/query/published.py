"""What may be shown: values that nobody can make but the rules. A raw number is none of them, neither for mypy nor at run time.

A value is known by its identity: what it shows stands in a table of this module, so that one that was made in another way (constructed, copied,
read from a pickle, allocated empty) shows nothing. Whoever has one may read the number: it is as rounded as it will be shown.
"""

import types
from collections.abc import Iterable
from typing import Any, Generic, Never, NoReturn, Self, SupportsIndex, TypeVar, Union, final, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

import msgspec

from innerloop_collector.query.releases.disclosure import STEP

N = TypeVar("N")
_UNITS = ((3_600_000, "h"), (60_000, "min"), (1_000, "s"))


class Published(Generic[N]):
    """A number that passed the rules."""

    __slots__ = ("__weakref__",)

    def __new__(cls, _: Never) -> Self:
        """Refuse: only what passed the rules is published."""
        raise TypeError(f"a {cls.__name__} is what the rules let pass; nothing else makes one")

    def __init_subclass__(cls) -> None:
        """Refuse, but for those below."""
        if _closed:
            raise TypeError("what may be shown is of the kinds that there are")
        super().__init_subclass__()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied and pickled."""
        raise TypeError(f"a {type(self).__name__} is neither copied nor pickled")

    @property
    def value(self) -> N:
        """The number as it is shown. None: `<5`."""
        try:
            number: N = _shown[self]
        except KeyError:
            raise TypeError(f"this {type(self).__name__} did not pass the rules") from None
        return number

    def __repr__(self) -> str:
        """Name it for who debugs."""
        return f"<{type(self).__name__} {self}>"


_closed = False
_shown: WeakKeyDictionary["Published[Any]", Any] = WeakKeyDictionary()


@final
class Count(Published[int | None]):
    """How many: of people's runs rounded to 5."""

    __slots__ = ()

    def __format__(self, specification: str) -> str:
        """Write it as it is shown."""
        return f"<{STEP}" if self.value is None else format(self.value, specification)

    def __str__(self) -> str:
        """Write it as it is shown."""
        return format(self, ",")


@final
class Milliseconds(Published[int]):
    """A time, to three digits."""

    __slots__ = ()

    def __str__(self) -> str:
        """Write it as a person says it."""
        return _humane(self.value)


@final
class Minutes(Published[float]):
    """A sum of time, to three digits."""

    __slots__ = ()

    def __str__(self) -> str:
        """Write it as a person says it."""
        return _humane(self.value * 60_000)


@final
class Rate(Published[float]):
    """A part of a whole, to a hundredth."""

    __slots__ = ()

    def __str__(self) -> str:
        """Write it in percent."""
        return f"{self.value:.0%}"


@final
class Ratio(Published[float]):
    """How many times as much, to a tenth."""

    __slots__ = ()

    def __str__(self) -> str:
        """Write it as a factor."""
        return f"{self.value:.1f}x"


@final
class People(Published[tuple[int, int]]):
    """How many developers, as a range: 8 are "5 to 9"."""

    __slots__ = ()

    def __str__(self) -> str:
        """Write it as it is shown."""
        low, high = self.value
        return f"{low} to {high}"


@final
class Percent(Published[float]):
    """By how much something changed, in percent or in percentage points. Below nothing: it became less."""

    __slots__ = ()

    def __str__(self) -> str:
        """Write it with its sign."""
        return f"{self.value:+g} %"


@final
class Saved(Published[float]):
    """Minutes that a developer saves in a month. Below nothing: they are lost."""

    __slots__ = ()

    def __str__(self) -> str:
        """Write it as a person says it."""
        return ("-" if self.value < 0 else "") + _humane(abs(self.value) * 60_000)


_closed = True
P = TypeVar("P", bound=Published[Any])


def seal(kind: type[P], shown: float | tuple[int, int] | None) -> P:
    """Make a value of what passed the rules. For this package only."""
    made = object.__new__(kind)
    _shown[made] = shown
    return made


def text(value: Published[Any] | None, absent: str = "-") -> str:
    """Write a value for a page. Raises TypeError for what is not published."""
    if value is None:
        return absent
    if not issubclass(type(value), Published):  # isinstance() believes what a value says of itself
        raise TypeError(f"{type(value).__name__} is not published: a page shows what passed the rules")
    return str(value)


class View(msgspec.Struct, frozen=True):
    """Values that are shown together. A field that is declared as published holds nothing else, at run time as well."""

    def __post_init__(self) -> None:
        """Refuse a raw number."""
        for name, kinds in _kinds_of(type(self)).items():
            value = getattr(self, name)
            for one in value if isinstance(value, tuple) else (value,):
                if not issubclass(type(one), kinds):
                    raise TypeError(f"{type(self).__name__}.{name} takes what is published, not {type(one).__name__}")


_KINDS: dict[type[View], dict[str, tuple[type, ...]]] = {}


def _kinds_of(view: type[View]) -> dict[str, tuple[type, ...]]:
    """Which fields of a view are published, and as what."""
    if view not in _KINDS:
        classes = {name: tuple(_classes(hint)) for name, hint in get_type_hints(view).items()}
        _KINDS[view] = {name: found for name, found in classes.items() if any(issubclass(one, Published) for one in found)}
    return _KINDS[view]


def _classes(hint: Any) -> Iterable[type]:
    if get_origin(hint) in (Union, types.UnionType, tuple):
        return [one for part in get_args(hint) if part is not ... for one in _classes(part)]
    return [hint] if isinstance(hint, type) else []


def document(view: View) -> dict[str, Any]:
    """A view as what JSON can say."""
    built: dict[str, Any] = msgspec.to_builtins(view, enc_hook=_encoded)
    return built


def _encoded(value: Any) -> Any:
    if issubclass(type(value), Published):
        return value.value
    raise TypeError(f"{type(value).__name__} is not published")


def _humane(milliseconds: float) -> str:
    """Write a time as a person says it: `340 ms`, `12.3 s`, `4.5 min`, `2.0 h`. Three digits at most."""
    for size, unit in _UNITS:
        if milliseconds >= size:
            value = milliseconds / size
            return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{milliseconds:.0f} ms"
