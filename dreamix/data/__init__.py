"""Benchmark suites and the embedded Toybox world."""
