"""What is written beside the file of a database, where whoever is about to copy it looks."""

import os
from contextlib import suppress
from string import Template

from study_app.store.address import file_of
from study_app.store.database import Database

END = "-README.txt"
_NOTICE = Template("""\
$name holds the answers of a rater study, and the ids of its raters.

Do not copy it by hand while the study is served: its latest answers are in $name-wal,
and a copy of $name alone lacks them. Nor delete $name-wal or $name-shm.

These commands can be used at any time (STUDY: the folder with study.yaml):

    dreamix study backup STUDY --out FILE    a whole copy of the database
    dreamix study export STUDY               tables to analyse, under pseudonyms

To open tables in Excel or another spreadsheet program, follow README.md of the export.
""")


def leave_notice(database: Database) -> None:
    """Write how a database is copied beside its file, unless that stands there.

    A server has no file, and a folder in which nothing can be written goes without.
    """
    file = file_of(database.engine.url)
    if file is None:
        return
    text = _NOTICE.substitute(name=file.name)
    with suppress(OSError):
        path = file.with_name(file.name + END)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as notice:
            notice.write(text)
