"""Tables on disk, read whole or refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sakd.foundation.extras import from_extra
from sakd.foundation.files import openable
from sakd.foundation.sealing import AGAIN, check_sealed, damaged

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: Path, remedy: str = AGAIN) -> pd.DataFrame:
    """Read a table in a CSV or Parquet file, as its ending says.

    Args:
        path: The file.
        remedy: How to get it again, for messages.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: It cannot be read.
    """
    pandas = from_extra("report", "pandas")
    read = pandas.read_csv if path.suffix == ".csv" else pandas.read_parquet
    try:
        return read(openable(path))
    except (FileNotFoundError, MemoryError):
        raise
    except Exception as error:  # as many kinds as there are places to damage
        raise damaged(path, str(error) or type(error).__name__, remedy) from error


def read_sealed_table(path: Path, remedy: str = AGAIN) -> pd.DataFrame:
    """Read a table as `read_table` does, once it is compared with its checksum if it has one.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: It is not the one that was written.
    """
    check_sealed(path, remedy)
    return read_table(path, remedy)
