"""One file a screen, or a few that are alike: they draw and call the flow, and keep nothing."""
