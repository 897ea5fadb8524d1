"""Statistics: arrays in, NamedTuple out; numpy and scipy only."""
