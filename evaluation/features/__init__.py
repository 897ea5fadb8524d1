"""Heavy models, loaded once, lazily."""
