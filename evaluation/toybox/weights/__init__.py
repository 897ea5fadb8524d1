"""What reads Toybox clips, trained on them; README.md has figures and limits."""
