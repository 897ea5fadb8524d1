"""Prepares a study: clips for browsers under blind names, checks, and the plan that is served."""
