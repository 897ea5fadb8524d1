"""What reads Toybox clips, trained on them; README.md has figures and limits."""

from pathlib import Path

from evaluation.settings import OwnClip

CLIP = OwnClip(
    "toybox-clip",
    "Toybox",
    Path(__file__).parent / "toybox_clip",
    "half a million parameters, trained on rendered Toybox frames and their captions alone. It "
    "tells the words of that grammar apart and knows nothing else of the world; its values are not "
    "those of any published CLIP.",
)
