"""The command line. `main` is the ``stockpile`` command; everything else is loaded when it is called."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: done, a check failed, wrong usage or bad input, interrupted."""
NEW_OBJECTS = 100_000
"""After how many more objects Python looks for cycles among them. Its own number is made for programs that run on and on: with it, a
command spends a tenth of its start looking through modules."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands after the name of the program; that of this process where left out.
    """
    first, *others = gc.get_threshold()
    gc.set_threshold(first and max(first, NEW_OBJECTS), *others)
    try:
        from stockpile.cli.app import call

        code = call(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_has_gone()
    finally:
        gc.set_threshold(first, *others)
    return code


def _reader_has_gone() -> int:
    """Whoever read the output has had enough: leave without a word, also while Python closes its files."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE
