"""Tables of an export from a stranger: columns of kinds that ours do not have are one line."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fabricated_export import drawn, write_export

from dreamix.core.errors import UserError
from reports.people.export import read_export


@pytest.mark.slow
@pytest.mark.parametrize("value", [[1], {"a": 1}, b"x"], ids=["list", "object", "bytes"])
@pytest.mark.parametrize("name", ["rater", "question", "method"])
def test_a_column_of_an_export_that_holds_no_text_is_one_line(
    tmp_path: Path, name: str, value: object
) -> None:
    """Parquet has columns of lists and of records, which pandas cannot count the values of."""
    write_export(tmp_path, drawn((0.5, 0.0)), raters=3, sources=2)
    path = tmp_path / "ratings_long.parquet"
    table = pq.read_table(path).replace_schema_metadata(None)  # else pandas casts, or refuses
    at = table.column_names.index(name)
    pq.write_table(table.set_column(at, name, pa.array([value] * len(table))), path)
    with pytest.raises(UserError, match=f"ratings_long.parquet: column {name} should hold text"):
        read_export(tmp_path)
