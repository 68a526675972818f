"""The collector changes nothing of other people's modules by being imported; what a process needs is set where the process is set up."""

import json
import subprocess
import sys

from tests.collector.support import Collector

_IMPORTED = """
import importlib, json, logging, os, pkgutil, sys, tempfile
before = dict(os.environ)
import prometheus_client.metrics
creation_times = prometheus_client.metrics._use_created
import innerloop_collector
for one in pkgutil.walk_packages(innerloop_collector.__path__, "innerloop_collector."):
    if not one.name.endswith("__main__"):
        importlib.import_module(one.name)
from segment.analytics import request
print(json.dumps({
    "levels": {
        name: logger.level for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger) and logger.level and name.startswith(("segment", "opentelemetry", "newrelic", "clickhouse", "urllib3."))
    },
    "redirects": request._session.max_redirects,
    "temporary": tempfile.tempdir,
    "environment": sorted(set(before.items()) ^ set(os.environ.items())),
    "creation times": prometheus_client.metrics._use_created == creation_times,
    "hooks": [sys.excepthook is sys.__excepthook__, sys.unraisablehook is sys.__unraisablehook__],
}))
"""


def test_importing_every_module_changes_nothing_of_others(idle: Collector) -> None:
    done = subprocess.run([sys.executable, "-c", _IMPORTED], capture_output=True, text=True, env=idle.environment, check=False)
    assert 0 == done.returncode, done.stderr
    assert {
        "levels": {},
        "redirects": 30,
        "temporary": None,
        "environment": [],
        "creation times": True,
        "hooks": [True, True],
    } == json.loads(done.stdout)
