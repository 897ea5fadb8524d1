"""What the evaluation has for Toybox: its judge, its metrics, its CLIP."""
