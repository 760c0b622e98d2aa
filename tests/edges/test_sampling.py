"""The two runs of the gate: what each plays, and that nothing falls through both."""

from types import SimpleNamespace

import pytest

from tests import not_run
from tests.sampling import mark_runs


class Case:
    """One case of a test, as pytest collects it."""

    def __init__(self, test, number, *marks, asks=False):
        self.path, self.parent, self.originalname = "file", "module", test
        self.name = self.nodeid = f"{test}[{number}]"
        self.fixturenames = ["db"] if asks else []
        self.keywords = {mark.name: mark for mark in marks}

    def get_closest_marker(self, name):
        return self.keywords.get(name)

    def add_marker(self, name):
        self.keywords[name] = True


def runs(*marks, cases=1, asks=False):
    """By run, the numbers of the cases it plays."""
    items = [Case("test", number, *marks, asks=asks) for number in range(cases)]
    mark_runs(items)
    return tuple(
        [number for number, item in enumerate(items) if run in item.keywords]
        for run in ("quick", "full")
    )


def test_a_test_without_a_database_runs_once():
    assert runs() == ([0], [])


def test_a_test_with_a_database_runs_on_both():
    assert runs(asks=True) == ([0], [0])


def test_the_quick_run_runs_one_of_many_cases_and_the_full_run_the_others():
    assert runs(cases=4) == ([0], [1, 2, 3])
    assert runs(cases=4, asks=True) == ([0], [0, 1, 2, 3])


def test_a_test_may_have_more_of_its_cases_in_the_quick_run():
    assert runs(pytest.mark.cases(3).mark, cases=6) == ([0, 2, 4], [1, 3, 5])


def test_where_every_database_answers_alike_no_case_is_run_twice():
    assert runs(pytest.mark.any_database.mark, cases=3, asks=True) == ([0], [1, 2])


@pytest.mark.parametrize("mark", ["long", "postgres"])
def test_the_full_run_alone_plays(mark):
    assert runs(getattr(pytest.mark, mark).mark, cases=2) == ([], [0, 1])


def test_slow_ones_are_in_neither():
    assert runs(pytest.mark.slow.mark, asks=True) == ([], [])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(not_run, "FOLDER", tmp_path)
    for run in not_run.RUNS:
        (tmp_path / f"{run}.there").write_text("test_a\ntest_b\ntest_c")
    return tmp_path


def test_a_test_that_passed_in_one_of_the_runs_counts_as_run(folder, capsys):
    (folder / "quick").write_text("test_a\ntest_b")
    (folder / "full").write_text("test_b\ntest_c")

    assert not_run.main() == 0
    assert "2 of 3 tests passed in `make test`" in capsys.readouterr().out


def test_a_test_that_passed_in_neither_run_is_named(folder, capsys):
    (folder / "quick").write_text("test_a")
    (folder / "full").write_text("test_a\ntest_c")

    assert not_run.main() == 1
    assert capsys.readouterr().err == "Played by neither: test_b\n"


def test_a_run_of_some_files_is_not_written_down(folder):
    asked = SimpleNamespace(markexpr="quick", file_or_dir=["tests/orders"])

    not_run.write(SimpleNamespace(option=asked))

    assert not (folder / "quick").exists()
