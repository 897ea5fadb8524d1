"""Dreamix and its baselines: video, suites, methods."""
