"""The rater study: people rate edits in a browser."""
