"""What `python3 innerloop.pyz` starts: the same as the command `innerloop`, out of one file.

The interpreter runs already, without the flags -I -S of the installed command. Starting it again would cost as much
again, so what the flags keep away is taken off the path instead: nothing but this file and the standard library is imported
from here on. Written so that a Python that is too old reads it too: it then runs the command, unmeasured.
"""

import os
import sys

library = os.path.dirname(os.__file__)
this = os.path.abspath(__file__)[: -len("/__main__.py")]
sys.path[:] = [this] + [
    path
    for path in sys.path
    if (path.endswith(".zip") and os.path.basename(path).startswith("python"))
    or (path.startswith(library) and "/site-packages" not in path and "/dist-packages" not in path)
]

if sys.version_info >= (3, 9):
    import innerloop.start  # noqa: F401 (does it)
elif sys.argv[1:2] in (["run"], ["wrap"]) and len(sys.argv) > 2:
    from innerloop.fallback import run_bare

    run_bare(sys.argv[1:])
else:
    sys.exit("innerloop: Python 3.9 or newer is needed; this is %d.%d" % sys.version_info[:2])
