"""Agreement: of raters with each other and with themselves, and raters who stand out."""

from evaluation.stats.agreement.alpha import Alpha, krippendorff_alpha
from evaluation.stats.agreement.leave_one_out_corr import OneOut, leave_one_out
from evaluation.stats.agreement.marks import (
    TIME,
    TIME_AND_PLACE,
    MarkAgreement,
    Viewings,
    mark_agreement,
    overlap,
    timeline,
    volume,
)
from evaluation.stats.agreement.reliability import (
    Icc,
    Retest,
    intraclass_correlation,
    retest_agreement,
)
from evaluation.stats.agreement.screening import bt500, p913, straight_line

__all__ = [
    "TIME",
    "TIME_AND_PLACE",
    "Alpha",
    "Icc",
    "MarkAgreement",
    "OneOut",
    "Retest",
    "Viewings",
    "bt500",
    "intraclass_correlation",
    "krippendorff_alpha",
    "leave_one_out",
    "mark_agreement",
    "overlap",
    "p913",
    "retest_agreement",
    "straight_line",
    "timeline",
    "volume",
]
