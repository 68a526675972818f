"""stub"""


class TeamReports:
    def __init__(self, *a: object) -> None: ...
    def report(self, project: str, weeks: int | None) -> dict[str, object]:
        return {}
