"""`innerloop hook SHELL`: the function to evaluate in a shell's own file. Writes nothing."""

import os

from innerloop.core.shared.terminal import Failure
from innerloop.tools.output import show
from innerloop.tools.setup import hooks


def hook(shell: str) -> int:
    """Print the function, without a name for the shell that $SHELL names."""
    shell = shell or os.path.basename(os.environ.get("SHELL", ""))
    if shell not in hooks.TEXTS:
        raise Failure(f"there is no hook for {shell or 'an unknown shell'}; name one: innerloop hook {'|'.join(hooks.TEXTS)}")
    show(hooks.TEXTS[shell], end="")
    return 0
