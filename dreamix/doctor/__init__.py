"""What this machine can run: memory, weights, minutes."""
