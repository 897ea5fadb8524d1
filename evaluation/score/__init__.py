"""From the clips of a run to rows of scores: decode, embed, measure, row."""
