"""What a worker may be asked to run: service functions, by their dotted names.

Stands apart from ``background`` so that the Celery app can know the tasks while ``background``
sends them to it.
"""

from __future__ import annotations

from collections.abc import Callable

#: Takes a row's id, and is safe to run twice, anywhere, at once.
Task = Callable[[int], None]

_tasks: dict[str, Task] = {}


def background_task(function: Task) -> Task:
    """Register a service that takes a row's id and is safe to run twice, anywhere, at once."""
    _tasks[name_of(function)] = function
    return function


def run_task(name: str, row_id: int) -> None:
    """Run a task by its dotted name. Raises KeyError for a name that is not registered."""
    _tasks[name](row_id)


def name_of(task: Task) -> str:
    """The dotted name by which a worker is asked for a task."""
    return f"{task.__module__}.{task.__qualname__}"
