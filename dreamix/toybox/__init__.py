"""Toybox, the embedded world (world), the model that knows it (cascade), and how it learns."""
