"""The registry of background tasks: service functions by their dotted names.

Separate from ``background``, which imports the Celery app, which imports this.
"""

from __future__ import annotations

from collections.abc import Callable

#: Takes a row's id; safe to repeat and to run concurrently.
Task = Callable[[int], None]

_tasks: dict[str, Task] = {}
_services: dict[str, str] = {}


def background_task(calls: str = "the database") -> Callable[[Task], Task]:
    """Register a function that takes a row's id, and is safe to repeat and to run concurrently.

    ``calls`` names the service it calls, so that a slow one delays no other tasks.
    """

    def register(function: Task) -> Task:
        name = name_of(function)
        _tasks[name], _services[name] = function, calls
        return function

    return register


def run_task(name: str, row_id: int) -> None:
    """Run a task by its dotted name. Raises KeyError for a name that is not registered."""
    _tasks[name](row_id)


def service_of(name: str) -> str:
    """The service a task calls. Raises KeyError for an unregistered name."""
    return _services[name]


def name_of(task: Task) -> str:
    """The dotted name of a task."""
    return f"{task.__module__}.{task.__qualname__}"
