"""Judges examined on edits of which all is known: what is asked, what follows, what is kept."""
