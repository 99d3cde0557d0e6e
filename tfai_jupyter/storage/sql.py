"""SQL text: values as literals, and the one read-only statement that others may run.

Values are written into statements by `literal`, not bound: at its first bound value DuckDB 1.5 imports
pandas where that is installed, for 3 s and 60 MB, in a server that is answering.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tfai_jupyter.core.errors import Invalid
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.results import Rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_ROWS = 10_000

_LOOKING = re.compile(
    r"\s*pragma\s+(show\w*|table_info|storage_info|database_list|database_size|version)\b", re.IGNORECASE
)
_EXACT_INTEGER = 2**53


def literal(value: object) -> str:
    """Return a value as SQL. In DuckDB's plain strings only the quote is special, and it is doubled."""
    match value:
        case None:
            return "NULL"
        case bool() | int() | float():
            return str(value)
        case datetime():
            return f"TIMESTAMP '{value.isoformat(' ')}'"
        case list() | tuple():
            return f"[{', '.join(map(literal, value))}]"
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return "'" + text.replace("'", "''") + "'"


def check_statement(sql: str) -> None:
    """Refuse all but one statement that only reads; raises Invalid."""
    import duckdb  # noqa: PLC0415 - heavy

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise Invalid(told(error)) from None
    if len(statements) != 1:
        message = f"one statement is wanted, not {len(statements)}"
        raise Invalid(message)
    kind = statements[0].type
    reads = kind in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if not reads and not (kind == duckdb.StatementType.PRAGMA and _LOOKING.match(sql)):
        message = f"only reading is allowed (SELECT, FROM, WITH, DESCRIBE, SHOW, EXPLAIN), not {kind.name}"
        raise Invalid(message)


def run(cursor: DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()) -> Rows:
    """Run a checked statement in a read-only transaction; raises Invalid. Blocks until interrupted."""
    import duckdb  # noqa: PLC0415 - heavy

    try:
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        if parameters:
            cursor.execute(f"PREPARE asked AS {sql}")
            cursor.execute(f"EXECUTE asked({', '.join(map(literal, parameters))})")
        else:
            cursor.execute(sql)
        columns = tuple(column[0] for column in cursor.description or ())
        found = cursor.fetchmany(MAX_ROWS + 1)
    except duckdb.Error as error:
        raise Invalid(told(error)) from None
    rows = tuple(tuple(map(_json, row)) for row in found[:MAX_ROWS])
    return Rows(columns, rows, truncated=len(found) > MAX_ROWS)


def told(error: Exception) -> str:
    """Return the first line of what DuckDB said."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _json(value: Any) -> Json:  # noqa: ANN401 - whatever a column holds
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= _EXACT_INTEGER else str(value)
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {str(key): _json(item) for key, item in value.items()}
        case list() | tuple():
            return [_json(item) for item in value]
        case bytes():
            return value.hex()
    return str(value)
