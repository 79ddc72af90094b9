"""The bar that shows how far a long run is: on a terminal only, and only once it has taken a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Time after which the bar comes up [second]."""


@contextmanager
def progress(what: str, total: int, units: str = "members") -> Iterator[Callable[..., None]]:
    """Show a bar on standard error while the block runs; it gets what to call with the number of `units` done.

    A second number says how many of them were done before, and do not count towards the rate.
    """
    if not sys.stderr.isatty():
        yield lambda done, before=0: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    class Pace(ProgressColumn):
        """How many a second, and the time left at that rate."""

        def render(self, task: Task) -> Text:
            before = task.fields["before"]
            return Text(pace(task.completed - before, (task.total or 0.0) - before, task.elapsed or 0.0))

    columns = TextColumn("{task.description}"), BarColumn(20), TextColumn(f"{{task.completed:,.0f}} of {{task.total:,.0f}} {units}"), Pace()
    bar = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
    task = bar.add_task(what, total=total, before=0)
    timer = threading.Timer(PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done, before=0: bar.update(task, completed=done, before=before)
    finally:
        timer.cancel()
        timer.join()
        if bar.live.is_started:
            bar.stop()


def pace(done: float, total: float, elapsed: float) -> str:
    """Return rate and time left as printed; nothing before anything is done."""
    if not done or not elapsed:
        return ""
    left = round((total - done) * elapsed / done)
    return f"{done / elapsed:,.0f} a second, {left // 60}:{left % 60:02d} left"
