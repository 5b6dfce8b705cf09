"""The garbage collector stays out of the way, and nothing is lost to it for good."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from core.host import garbage


class Node:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def usual_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the collector of the test runner as it was."""
    callbacks = list(gc.callbacks)
    monkeypatch.setattr(garbage, "_freezes", 0)
    yield
    gc.callbacks[:] = callbacks
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_while_any_thread_imports() -> None:
    both = Barrier(2, timeout=10)

    def load() -> bool:
        with garbage.importing():
            both.wait()
            seen = gc.isenabled()
            both.wait()
        return seen

    with ThreadPoolExecutor(2) as pool:
        assert [done.result() for done in [pool.submit(load), pool.submit(load)]] == [False, False]
    assert gc.isenabled()


def test_the_collector_works_again_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), garbage.importing():
        raise ImportError
    assert gc.isenabled()


def test_what_survived_a_full_collection_is_not_looked_at_again() -> None:
    garbage.freeze_survivors()
    garbage.freeze_survivors()
    node = Node()
    gc.collect()
    assert gc.get_freeze_count() > 0
    gone = weakref.ref(node)
    del node
    gc.collect()
    assert gone() is not None


def test_what_was_frozen_is_freed_once_it_is_worth_it() -> None:
    garbage.freeze_survivors()
    node = Node()
    gone = weakref.ref(node)
    gc.collect()
    del node
    assert not garbage.collect_all()
    assert gone() is not None
    for _ in range(garbage.WORTH):
        gc.collect()
    assert garbage.collect_all()
    assert gone() is None
