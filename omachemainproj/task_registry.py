"""What a worker may be asked to run: service functions, by their dotted names.

Stands apart from ``background`` so that the Celery app can know the tasks while ``background``
sends them to it.
"""

from __future__ import annotations

from collections.abc import Callable

#: Takes a row's id, and is safe to run twice, anywhere, at once.
Task = Callable[[int], None]

_tasks: dict[str, Task] = {}
_services: dict[str, str] = {}


def background_task(calls: str = "the database") -> Callable[[Task], Task]:
    """Register a service that takes a row's id and is safe to run twice, anywhere, at once.

    ``calls`` says what it waits for, so that tasks of a slow service hold up no others.
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
    """What a task waits for. Raises KeyError for a name that is not registered."""
    return _services[name]


def name_of(task: Task) -> str:
    """The dotted name by which a worker is asked for a task."""
    return f"{task.__module__}.{task.__qualname__}"
