"""Benchmark runner, metrics and statistics."""
