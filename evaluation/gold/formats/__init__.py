"""Formats of ratings, one module each; other packages bring theirs by `dreamix.rating_formats`."""
