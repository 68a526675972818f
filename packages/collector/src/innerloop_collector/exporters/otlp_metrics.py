"""How long runs took and how many failed, as metrics.

Each batch is measured by itself and sent as a difference (delta). A metric has no id by which a repetition could be told, so what the
receiver adds up is right as long as no run is measured twice: see `record.Taken`.
"""

from collections.abc import Sequence

from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, MetricsData
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation
from opentelemetry.semconv._incubating.attributes import cicd_attributes as cicd
from opentelemetry.semconv._incubating.metrics import cicd_metrics
from opentelemetry.semconv.attributes import error_attributes as error

from innerloop_collector import __version__
from innerloop_collector.exporters.otlp_spans import SCHEMA, Attributes, failed, number, outcome, resource, text
from innerloop_collector.exporters.record import Record

# Seconds; from a formatter to a build of everything.
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0)
_DELTA: dict[type, AggregationTemporality] = {Histogram: AggregationTemporality.DELTA, Counter: AggregationTemporality.DELTA}


def metrics(records: Sequence[Record]) -> list[tuple[MetricsData, list[Record]]]:
    """The metrics of a batch's runs, and the runs that are in them: one piece for each project."""
    runs = [record for record in records if record.kind == "run"]
    pieces = [[run for run in runs if run.project == project] for project in sorted({run.project for run in runs})]
    return [(_measured(piece[0].project, piece), piece) for piece in pieces]


def _measured(project: str, runs: Sequence[Record]) -> MetricsData:
    reader = InMemoryMetricReader(
        preferred_temporality=dict(_DELTA), preferred_aggregation={Histogram: ExplicitBucketHistogramAggregation(BOUNDS)}
    )
    provider = MeterProvider([reader], resource(project), shutdown_on_exit=False)
    try:
        meter = provider.get_meter("innerloop", __version__, SCHEMA)
        durations = cicd_metrics.create_cicd_pipeline_run_duration(meter)
        errors = cicd_metrics.create_cicd_pipeline_run_errors(meter)
        for run in runs:
            attributes = _attributes(run)
            if "duration_ms" in run.fields:
                durations.record(number(run, "duration_ms") / 1000, attributes)
            if failed(run):
                errors.add(1, {name: value for name, value in attributes.items() if name != cicd.CICD_PIPELINE_RESULT})
        data = reader.get_metrics_data()
    finally:
        provider.shutdown()
    return data if data is not None else MetricsData([])


def _attributes(run: Record) -> Attributes:
    """Few values each: a metric is a series for every combination."""
    ended = outcome(run)
    made: Attributes = {cicd.CICD_PIPELINE_NAME: text(run, "command"), cicd.CICD_PIPELINE_RUN_STATE: "executing"}
    made |= {name: ended[name] for name in (cicd.CICD_PIPELINE_RESULT, error.ERROR_TYPE) if name in ended}
    if actor := text(run, "actor"):
        made["innerloop.actor"] = actor
    return made
