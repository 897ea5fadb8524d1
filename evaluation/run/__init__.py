"""The run folder: its contents typed, its clips made, and run folders joined."""
