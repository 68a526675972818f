"""Operations on backups. May import: core, access, the store's backup."""

from pathlib import Path

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.arguments import Directory
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.errors import UsageError


class Backup(Area):
    """Makes backups, and knows where they are."""

    @operation("backup.make", Role.ADMIN)
    def make(self, directory: Directory, with_secret: bool = True) -> Answer:
        """Make a backup in a directory of the collector's machine."""
        made = self.core.backup.make(Path(directory), with_secret)
        return {
            "directory": directory,
            "made": made.made,
            "position": made.position,
            "rows": made.rows,
            "bytes": sum(file.bytes for file in made.files),
            "files": len(made.files),
            "secret": made.secret,
        }

    @operation("backup.list", Role.ADMIN)
    def list(self) -> Answer:
        """Every backup that was made and not said to be gone."""
        return {
            "backups": [
                {"directory": one.path, "made": one.made or one.begun, "within_reach": (Path(one.path) / "manifest.json").exists()}
                for one in self.core.backups.known()
            ]
        }

    @operation("backup.gone", Role.ADMIN)
    def gone(self, directory: Directory) -> Answer:
        """Believe that a backup exists nowhere any more."""
        if (Path(directory) / "manifest.json").exists():
            raise UsageError(f"{directory} is still there; delete it first")
        if not self.core.backups.drop(Path(directory)):
            raise UsageError(f"no backup was made in {directory}; see: innerloop-collector backups list")
        return self.list()
