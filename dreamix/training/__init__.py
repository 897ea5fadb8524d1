"""Training that can be stopped at any instant, and the Toybox clips it learns from."""
