"""One run under many protocols: which claims hold in all, which flip, and by which choice."""
