"""One package or file a family of models."""
