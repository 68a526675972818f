"""What can go wrong, as types.

CollectorError              a person reads it: one line saying what, why and what to do
├── UsageError              what was asked for cannot be done like this
│   ├── InvalidArguments    its arguments are not those that it takes
│   └── WrongField          one field of it is wrong
├── DataInUse               another process holds the data directory
├── Unknown                 the caller shows no valid token
├── Denied                  the caller's role does not allow it
├── ProviderFailed          who signs people in did not answer, or not with what can be used
└── StoreError              the store refused or could not write
    ├── QueueFull           more is waiting for the store than may wait
    └── Unreadable          something of a project is there that this version cannot read
"""


class CollectorError(Exception):
    """Something that a person is told in one line, without a traceback."""


class UsageError(CollectorError):
    """What was asked for cannot be done like this; the message says what can."""


class InvalidArguments(UsageError):
    """An operation was asked for with arguments that it does not take, or of other types."""


class WrongField(UsageError):
    """One field of what was asked for is wrong. Who shows a form says `why` beside that field."""

    def __init__(self, field: str, why: str, what: str = "") -> None:
        """`what` begins the message where it stands alone."""
        super().__init__(f"{what}: {why}" if what else why)
        self.field = field
        self.why = why


class DataInUse(CollectorError):
    """Another process holds the data directory."""


class StoreError(CollectorError):
    """The store refused an operation or could not write. Nothing of it was acknowledged."""

    def __init__(self, *words: object, code: int | None = None) -> None:
        """`code` is the engine's own number of the error, where it said one."""
        super().__init__(*words)
        self.code = code


class QueueFull(StoreError):
    """More events wait for the store than may wait."""


class Unreadable(StoreError):
    """A document of a project is damaged, or of a later version. Other projects can be read."""


class Denied(CollectorError):
    """The caller's role does not allow this."""


class ProviderFailed(CollectorError):
    """The service that signs people in did not answer, or not with what can be used."""


class Unknown(CollectorError):
    """The caller shows no valid token."""
