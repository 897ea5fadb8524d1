"""Who rates what: balanced incomplete blocks, dealt out as raters come."""
