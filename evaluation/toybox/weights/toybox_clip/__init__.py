"""toybox-clip as a folder that open_clip opens; README.md is its model card."""
