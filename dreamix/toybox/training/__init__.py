"""Training that can be stopped at any instant: the embedded cascade, one file a network."""
