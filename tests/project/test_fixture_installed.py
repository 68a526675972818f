"""The fixture that every end-to-end test builds on."""

import os
import subprocess
from pathlib import Path

from tests.conftest import Installed


def test_the_client_is_installed_alone(installed: Installed) -> None:
    """The client's environment holds innerloop and no other distribution."""
    site_packages = next(installed.directory.glob("client/lib/python*/site-packages"))

    assert ["innerloop"] == sorted(path.name.split("-")[0] for path in site_packages.glob("*.dist-info"))


def test_the_command_is_a_link_as_uv_tool_leaves_it(installed: Installed) -> None:
    """The command on PATH is a symbolic link to a file that keeps its `#!/bin/sh`."""
    assert installed.innerloop.is_symlink()
    assert os.access(installed.innerloop, os.X_OK)
    assert b"#!/bin/sh\n" == installed.innerloop.read_bytes()[:10]


def test_nothing_of_the_checkout_is_imported(installed: Installed) -> None:
    """The installed package is the one in the wheel, not the working tree's."""
    code = "import innerloop; print(innerloop.__file__)"
    done = subprocess.run([installed.client_python, "-c", code], capture_output=True, text=True, check=True, cwd="/")

    assert Path(done.stdout.strip()).is_relative_to(installed.directory)
