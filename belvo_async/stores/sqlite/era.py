"""The mark beside an SQLite file: how far the database had come, so that one put back from a copy is noticed."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import suppress
from typing import Final

from ...descriptors import EXHAUSTED, lacks_descriptors
from ...errors import StoreError
from ..rules import tell_restore
from .jobs import Transaction, last_transaction, skip_transactions

_FORM: Final = re.compile(rb"belvo_async ([0-9a-f]{32}) ([0-9]{20})\n")
_LENGTH: Final = 12 + 32 + 1 + 20 + 1


class MarkFile:
    """The file `PATH-mark`: the name of the database, and the number of the last transaction anybody committed.

    The database counts its transactions itself: whoever finds a lower number there than here, or than it remembers,
    knows that it was put back. Written after each commit; flushed when it is made, and else whenever the system likes:
    after a loss of power it may lag behind, which does no harm unless the database is put back as well. Used on the
    thread that owns the connection; `era` anywhere.
    """

    def __init__(self, path: str) -> None:
        # Where the database is, whatever links lead to it: all of its users must find the same mark.
        self._path = f"{os.path.realpath(path)}-mark"
        self._file: int | None = None
        self._name = b""
        self._last = Transaction(0, 0)
        self._noticed = False

    @property
    def era(self) -> int:
        """The era of the last transaction that is known here."""
        return self._last.era

    def take_up(self, database: sqlite3.Connection, path: str) -> Transaction:
        """Compare a database that is being opened with its mark; inside a transaction that may write.

        One without its mark was brought here from elsewhere: nobody can say from when it is.
        """
        (name,) = database.execute("SELECT name FROM last_transaction").fetchone()
        self._name = str(name).encode()
        self._file = self._open_file(path)
        transaction = last_transaction(database)
        if transaction.number and self._read() is None:
            self._begin_era(database, transaction, transaction.number)
        else:
            self.compare(database, transaction)
        return last_transaction(database)

    def compare(self, database: sqlite3.Connection, transaction: Transaction) -> None:
        """Begin a new era if the database, of which `transaction` is the last transaction, is not as far as it was."""
        past = max(self._last.number, self._read() or 0)
        if transaction.number < past or transaction.era < self._last.era:
            self._begin_era(database, transaction, past)

    def note(self, transaction: Transaction) -> None:
        """Remember a transaction that was committed."""
        self._last = transaction
        if self._noticed:
            self._noticed = False
            tell_restore("its SQLite file was replaced by an older one, or brought here without its mark")
        marked = self._read()
        if marked is None or marked < transaction.number:
            with suppress(OSError):
                self._write(transaction.number, is_new=marked is None)

    def learn(self, transaction: Transaction) -> None:
        """Remember the era that a reader met."""
        if transaction.era > self._last.era:
            self._last = Transaction(self._last.number, transaction.era)

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin_era(self, database: sqlite3.Connection, transaction: Transaction, past: int) -> None:
        # Numbers go on after the highest there ever was: none stands for two transactions.
        skip_transactions(
            database, past + 1 - transaction.number, max(transaction.era, self._last.era) + 1 - transaction.era
        )
        self._noticed = True

    def _open_file(self, path: str) -> int:
        try:
            # Windows would write two bytes for the end of a line.
            return os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            why = EXHAUSTED if lacks_descriptors(error) else error.strerror
            raise StoreError(f"the mark beside the store {path} cannot be opened: {why}") from error

    def _read(self) -> int | None:
        """The number it holds for this database; None of one that cannot be read, as of one that is not there.

        What was committed must not fail for it.
        """
        if self._file is None:
            return None
        try:
            os.lseek(self._file, 0, os.SEEK_SET)
            found = _FORM.fullmatch(os.read(self._file, _LENGTH + 1))
        except OSError:
            return None
        return int(found[2]) if found is not None and found[1] == self._name else None

    def _write(self, number: int, *, is_new: bool) -> None:
        if self._file is None:
            return
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, b"belvo_async %b %020d\n" % (self._name, number))
        if is_new:
            os.ftruncate(self._file, _LENGTH)
            os.fsync(self._file)
