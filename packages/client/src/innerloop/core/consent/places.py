"""What the file of an answer is called, and where it is.

Which file it is follows from the project's organisation, id and endpoint by a digest, or from the registry of founding
systems; no file chooses a path, and each endpoint has a file, an id and a secret of its own.
"""

import os
import re
import secrets
from contextlib import suppress
from typing import NewType, Optional

from innerloop.core.plan.agreement import digest
from innerloop.core.plan.founding import SYSTEMS, FoundingSystem
from innerloop.core.plan.project import Project, ProjectError
from innerloop.core.shared import files, paths

Name = NewType("Name", str)  # of an answer's file: only `name_for`, `own_name` and `known_name` make one
_OWN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?-[0-9a-f]{8}-[0-9a-f]{12}\.json")


def spool_key(project: Project) -> str:
    """Name the spool and the consent of one (organisation, project, endpoint)."""
    return digest([project.organisation, project.id, project.endpoint])[:24]


def name_for(project: Project) -> Name:
    """What the answer's file is called: below HOME where the project keeps a founding system's destination, else ours."""
    if project.seed and project.keeps_destination:
        return Name(project.seed.config)
    return own_name(project)


def own_name(project: Project) -> Name:
    """What innerloop's own file for an answer is called, whatever a founding system had."""
    return Name(f"{project.id}-{digest([project.organisation, project.id])[:8]}-{spool_key(project)[:12]}.json")


def refusal_name(system: FoundingSystem) -> Name:
    """Where a no to a founding system is kept while the place of its consent file is taken by something else."""
    return Name(f"{system.name}.json")


def known_name(name: str) -> Name:
    """Judge a name that a file in the spool holds: it must be one that we make. Raises ProjectError."""
    if _OWN.fullmatch(name) or name in (system.config for system in SYSTEMS.values()):
        return Name(name)
    raise ProjectError("a spool names an answer that is none of innerloop's")


def founding_system(name: Name) -> Optional[FoundingSystem]:
    """Whose consent file a name stands for; None where it is innerloop's own."""
    return next((system for system in SYSTEMS.values() if system.config == name), None)


def place(name: Name, home: paths.Home) -> str:
    """Where an answer is. Raises ProjectError in a container that shares the host's state but not this answer."""
    directory, _, file = name.rpartition("/")
    if not home.shared:
        return os.path.join(os.fsdecode(home.env.get(b"HOME", b"") if directory else home.config), name)
    base = paths.MOUNT + b"/seed/" + os.fsencode(os.path.basename(directory)) if directory else home.config
    mount = paths.mounted(base)
    if mount is None or mount.st_uid != home.uid:
        raise ProjectError(f"{os.fsdecode(base)} is not mounted, so no answer counts here; run on the host: innerloop init --container")
    return f"{os.fsdecode(base)}/{file}"


def elsewhere(project: Project, home: paths.Home, decided: bool) -> "list[str]":
    """The other answers, a no among which counts here too. Raises files.UnusableFile.

    Those for the same organisation and project at other endpoints and that of its founding system, as long as nothing is
    `decided` here; and always what `opt-out` wrote beside a founding system's file.
    """
    names = [refusal_name(project.seed)] if project.seed else []
    names += [Name(project.seed.config)] if project.seed and not decided else []
    found = set() if decided else set(_alike(place(own_name(project), home)))
    for name in names:
        with suppress(ProjectError):  # a container without the host's answer
            found.add(place(name, home))
    return sorted(path for path in found - {place(name_for(project), home)} if os.path.lexists(path))


def _alike(path: str) -> "list[str]":
    """The answers of our own beside a path that differ from it in the endpoint alone."""
    directory, name = os.path.split(path)
    head = name[: -len("123456789012.json")]  # all but what stands for the endpoint
    try:
        found = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise files.UnusableFile(f"{directory} cannot be read: {error.strerror}") from error
    return [f"{directory}/{other}" for other in found if other.startswith(head) and other.endswith(".json") and len(other) == len(name)]


def set_aside(path: str, system: Optional[FoundingSystem]) -> Optional[str]:
    """Move an unusable consent file away, so that a no can be written. Returns where it is now; None where nothing was in the way.

    Outside our own directory (`system`) only what holds that system's keys and nothing else may be moved: another
    program may have come to use its name. Raises files.UnusableFile there.
    """
    if not os.path.lexists(path):
        return None
    if system is not None and not system.wrote(files.json_if_sound(os.path.realpath(path))):
        raise files.UnusableFile(f"{path} is no consent file of {system.name}, so it is left as it is")
    aside = f"{path}.unusable-{secrets.token_hex(4)}"
    os.rename(path, aside)
    return aside
