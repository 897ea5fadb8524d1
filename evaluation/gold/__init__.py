"""Human ratings and metric scores that were collected elsewhere: one kind of folder."""
