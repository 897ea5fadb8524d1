"""How the embedded cascade is trained, one file a network."""
