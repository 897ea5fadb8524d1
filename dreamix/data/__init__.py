"""Benchmark suites, and the worlds that some are rendered in."""
