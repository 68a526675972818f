"""`python -m innerloop`: the same as the command `innerloop`."""

import innerloop.start  # noqa: F401 (does it)
