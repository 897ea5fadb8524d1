"""A run on several machines: Ray workers, and shards that know nothing of each other."""
