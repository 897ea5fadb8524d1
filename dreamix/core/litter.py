"""Files and folders that systems and tools leave among a user's own: no one's clip or frame."""

# What begins with a dot is hidden: .DS_Store, ._frame.png of macOS, .ipynb_checkpoints, .nfs0001.
_NAMES = {
    "thumbs.db",  # Windows Explorer
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "$recycle.bin",
    "system volume information",
    "__macosx",  # archives made on macOS
    "icon\r",  # folder icons of macOS
    "@eadir",  # Synology
    "#recycle",
    "@recycle",  # QNAP
    "@recently-snapshot",
    "lost+found",
    "__pycache__",
    "picasa.ini",
}
# Streams of NTFS, which WSL, archives and copies to other systems leave as files beside the file:
# 001.png:Zone.Identifier (also with U+F03A for the colon) and Thumbs.db:encryptable.
_ENDS = ("~", "zone.identifier", ":encryptable", ":smartscreen", ":com.dropbox.attrs", ":$data")


def is_litter(name: str) -> bool:
    """Return True if a file or folder of that name is hidden or a system's own, whatever its case.

    `name` is the last part of a path. "~$..." and "...~" are what editors leave.
    """
    low = name.lower()
    return low.startswith((".", "~$")) or low.endswith(_ENDS) or low in _NAMES
