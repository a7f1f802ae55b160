"""`python -m belvo_async`: the same as the command `belvo-async`."""

from __future__ import annotations

from ._cli import main

if __name__ == "__main__":
    raise SystemExit(main())
