"""What ImagenHub and VIEScore published of their ratings: `ratings/README.md` beside the files."""

import os
from pathlib import Path
from typing import NamedTuple

SHARED = Path(os.environ.get("DREAMIX_SHARED", Path(__file__).parents[3] / "shared"))
RATINGS = SHARED / "ratings"


class Editor(NamedTuple):
    """Means and ordinal alphas of an editor, and Spearman of gemini_0shot with its mean votes."""

    task: str
    name: str
    mean_sc: float
    mean_pq: float
    alpha_sc: float | None
    alpha_pq: float
    spearman_sc: float | None
    spearman_pq: float | None


EDITORS = (
    Editor("text", "CycleDiffusion", 0.17, 0.56, 0.58, 0.52, 0.4387, 0.5941),
    Editor("text", "DiffEdit", 0.02, 0.23, 0.18, 0.66, 0.1719, 0.5632),
    Editor("text", "Imagic", 0.00, 0.03, None, 0.95, None, None),
    Editor("text", "InstructPix2Pix", 0.28, 0.70, 0.74, 0.61, 0.4856, 0.3684),
    Editor("text", "MagicBrush", 0.51, 0.65, 0.66, 0.47, 0.4689, 0.4927),
    Editor("text", "Pix2PixZero", 0.01, 0.48, 0.37, 0.53, 0.1970, 0.4698),
    Editor("text", "Prompt2prompt", 0.17, 0.55, 0.56, 0.43, 0.3249, 0.3611),
    Editor("text", "SDEdit", 0.04, 0.56, 0.20, 0.35, 0.1091, 0.4078),
    Editor("text", "Text2Live", 0.02, 0.82, 0.31, 0.59, 0.1368, 0.4136),
    Editor("subject", "BLIPDiffusion_Edit", 0.09, 0.70, 0.50, 0.33, 0.1841, 0.3174),
    Editor("subject", "DreamEdit", 0.31, 0.61, 0.57, 0.18, 0.3079, 0.3328),
    Editor("subject", "PhotoSwap", 0.34, 0.65, 0.44, 0.23, 0.1750, 0.3274),
)
