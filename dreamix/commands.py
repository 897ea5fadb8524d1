"""The commands of `dreamix` that this package brings; pyproject.toml lists them by name."""

from dreamix.core.deferred import Deferred

EPILOG = """\b
A first comparison, without footage of yours:
  dreamix bench compare toybox-quick --methods unedited,frozen-frame,ideal --out runs/first
`dreamix docs` lists the pages that come along, from suites to statistics.
"""  # of `dreamix --help`

animate = Deferred("dreamix.picture_cli:animate", "Set a still picture in motion.")
docs = Deferred("dreamix.docs_cli:docs", "Show the pages that explain all this.")
doctor = Deferred("dreamix.doctor_cli:doctor", "Say what this machine can run.")
edit = Deferred("dreamix.edit_cli:edit", "Edit one clip as a prompt says.")
subject = Deferred(
    "dreamix.picture_cli:subject", "Put the subject of pictures elsewhere, in motion."
)
suite = Deferred("dreamix.suite_cli:suite", "Bring suites in from other benchmarks, or write them.")
toybox = Deferred("dreamix.toybox.cli:toybox", "Render the embedded world and train on it.")
