"""The commands, put together.

Exit status: 0 done, 1 failed with one line on stderr, 2 wrong usage.
"""

import os
import sys
from typing import NoReturn

import click

from innerloop_collector import __version__
from innerloop_collector.cli.alert_commands import alerts
from innerloop_collector.cli.change_commands import changes
from innerloop_collector.cli.config_command import config
from innerloop_collector.cli.data_commands import backup, backups, erase, receipt, restore, retain
from innerloop_collector.cli.engine_extra import of_the_extra
from innerloop_collector.cli.evidence_commands import impact
from innerloop_collector.cli.export_command import export
from innerloop_collector.cli.key_commands import keys, oauth, tokens
from innerloop_collector.cli.link_commands import links
from innerloop_collector.cli.notification_commands import notifications
from innerloop_collector.cli.project_commands import ids, projects, quarantine, releases, report, trends
from innerloop_collector.cli.service_commands import check, demo, destinations, serve
from innerloop_collector.errors import CollectorError
from innerloop_collector.terminal.escaping import lines

_WRITING: tuple[click.Command, ...] = (projects, keys, tokens, links, ids, quarantine, destinations)
_KEEPING: tuple[click.Command, ...] = (retain, erase, receipt, backup, backups, restore)
_COMMANDS: tuple[click.Command, ...] = (
    serve,
    *_WRITING,
    report,
    trends,
    releases,
    changes,
    impact,
    alerts,
    notifications,
    export,
    *_KEEPING,
    check,
    config,
    demo,
)


def main() -> NoReturn:
    """Run the command line; turn what a person can understand into one line."""
    try:
        _run()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except CollectorError as error:
        click.echo(f"innerloop-collector: {lines(str(error))}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"innerloop-collector: {lines(where)}{error.strerror or type(error).__name__}", err=True)
        sys.exit(1)
    sys.exit(0)


def _run() -> None:
    try:
        commands(standalone_mode=False)
    except ModuleNotFoundError as error:
        raise of_the_extra(error) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="innerloop-collector")
def commands() -> None:
    """Receives, stores and reports what innerloop measured, with consent."""


keys.add_command(oauth)
for one in _COMMANDS:
    commands.add_command(one)
