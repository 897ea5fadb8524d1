"""Suites of other benchmarks: one file a format, found through a registry."""
