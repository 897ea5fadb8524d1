"""The machinery of figures: one look, one heat map."""
