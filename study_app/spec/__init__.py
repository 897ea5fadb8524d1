"""study.yaml: everything about a study that a researcher decides, in one file."""
