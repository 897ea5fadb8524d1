"""What everything rests on: standard library, numpy, and PyAV in media."""
