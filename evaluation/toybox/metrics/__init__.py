"""Metrics that know the embedded world, one file each."""
