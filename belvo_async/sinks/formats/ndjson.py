"""One JSON object a line: the fields of the record under their names in Python, nested as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from ...abc import PartKey
from ...errors import ConfigurationError
from ..folder import FolderSink
from ..part import PartWriter
from ..part_file import PartFile
from ..small_letters import Values, recaster
from .lines import Encode, LineWriter


class NdjsonSink(FolderSink):
    """Newline-delimited JSON, nested.

    Decimals are texts (`"1234.50"`): exact in every reader, where a number would become a float in most. Instants are
    ISO 8601, UUIDs in small letters, None is null. Content without a shape stays JSON, on the same line.
    """

    kind: ClassVar[str] = "ndjson"
    suffix: ClassVar[str] = ".ndjson"

    def __init__(self, directory: str | Path, options: Mapping[str, str] | None = None) -> None:
        super().__init__(directory, options)
        if options:
            raise ConfigurationError(f"`ndjson:` has no options, not {', '.join(sorted(options))}")

    def make_writer(self, key: PartKey, part: str) -> PartWriter:
        """Open the file of a part."""
        return LineWriter(PartFile(self.root / part, self.root), _encoder(key.record))


def _encoder(record: type) -> Encode:
    recast, encode = recaster(record), msgspec.json.Encoder().encode_lines

    def encode_rows(rows: Sequence[Any], values: Sequence[Values]) -> bytes:
        return encode(recast(rows, values))

    return encode_rows
