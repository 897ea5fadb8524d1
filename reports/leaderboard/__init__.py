"""Leaderboard: submissions checked, kept as data, and shown as pages without a server."""
