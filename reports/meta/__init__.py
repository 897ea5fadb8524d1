"""Gold data: how far metrics follow ratings that stay, a new metric beside known ones."""
