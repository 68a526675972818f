"""stub"""


def render(answer: dict[str, object]) -> str:
    return str(answer)
