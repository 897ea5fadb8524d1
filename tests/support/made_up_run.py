"""What a run folder of made-up results would say of its methods and metrics."""

from collections.abc import Mapping

from evaluation.run.info import FORMAT, MethodInfo, MetricInfo, RunInfo, SuiteInfo


def method_info(label: str, *, anchor: bool = False, seeds: int = 1) -> MethodInfo:
    """Return a method without settings."""
    return MethodInfo(label, {}, anchor, tuple(range(seeds)))


def metric_info(
    name: str, axis: str, better: str, bounds: tuple[str | float, str | float]
) -> MetricInfo:
    """Return a metric that needs nothing."""
    return MetricInfo(
        name=name,
        axis=axis,  # type: ignore[arg-type]
        better=better,  # type: ignore[arg-type]
        definition="Return it.",
        bounds=bounds,  # type: ignore[arg-type]
        needs=(),
        not_for=(),
        version=1,
        definition_id="id",
        models={},
        policy="pts",
    )


def run_info(
    methods: Mapping[str, MethodInfo],
    edits: Mapping[str, object],
    metrics: Mapping[str, MetricInfo],
) -> RunInfo:
    """Return what run.json would say."""
    suite = SuiteInfo("made-up", 1, "CC0", "0" * 64)
    return RunInfo(FORMAT, suite, tuple(edits), dict(methods), metrics=dict(metrics))
