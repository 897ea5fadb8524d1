"""The Toybox judge: a small network that tells the attributes of a clip, and how it is trained."""
