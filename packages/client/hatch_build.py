"""What a wheel holds beyond the sources: its version, in `__version__` too, and the collector the client of that version.

Both packages have this file, since each sdist needs it.
"""

import os
import re
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class VersionHook(BuildHookInterface[Any]):
    """Writes the version of the build into the wheel, and nothing into the source tree."""

    def initialize(self, version: str, build_data: "dict[str, Any]") -> None:
        """Put an `__init__.py` with the build's version in the place of the sources' own; an editable install has none."""
        if version == "editable":
            return
        name = self.metadata.core.name.replace("-", "_")
        with open(os.path.join(self.root, "src", name, "__init__.py"), encoding="utf-8") as file:
            text, count = re.subn('(?m)^__version__ = ".*"$', f'__version__ = "{self.metadata.version}"', file.read())
        assert count == 1
        self.written = tempfile.TemporaryDirectory()
        path = os.path.join(self.written.name, "__init__.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        build_data["force_include"][path] = f"{name}/__init__.py"
        if name != "innerloop":
            build_data["dependencies"].append(f"innerloop=={self.metadata.version}")
