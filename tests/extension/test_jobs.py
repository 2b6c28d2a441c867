# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work in short slices: what the operator's timer relies on."""

import threading
import time

import pytest

from hffne_blender.system.jobs import Steps, run


def work(seen, job):
    """Two slices on the caller's thread and a job between them."""
    seen.append(("start", threading.current_thread()))
    try:
        value = yield job
        seen.append((value, threading.current_thread()))
        return value + 1
    finally:
        seen.append(("end", threading.current_thread()))


def until_over(steps, seconds=30):
    end = time.monotonic() + seconds
    while not steps.over and time.monotonic() < end:
        steps.advance()
        time.sleep(0.001)


def test_the_slices_stay_on_the_callers_thread_and_the_job_does_not():
    seen, workers = [], []

    def job():
        workers.append(threading.current_thread())
        return 41

    steps = Steps(work(seen, job))
    until_over(steps)
    assert steps.over and steps.result == 42 and not steps.cancelled
    assert {thread for _, thread in seen} == {threading.current_thread()}
    assert len(workers) == 1 and workers[0] is not threading.current_thread()
    # The same at once.
    assert run(work([], job)) == 42


def test_no_slice_waits_for_a_job():
    going_on = threading.Event()
    steps = Steps(work([], lambda: going_on.wait(30) and 1))
    start = time.monotonic()
    for _ in range(100):
        steps.advance()
    assert time.monotonic() - start < 5 and not steps.over
    going_on.set()
    until_over(steps)
    assert steps.result == 2


@pytest.mark.parametrize("drive", [run, lambda generator: until_over(Steps(generator))])
def test_a_jobs_error_is_raised_where_it_was_asked_for(drive):
    seen = []
    with pytest.raises(ZeroDivisionError):
        drive(work(seen, lambda: 1 / 0))
    assert [word for word, _ in seen] == ["start", "end"]


def test_cancel_closes_the_work_and_forgets_the_job():
    seen, going_on = [], threading.Event()
    steps = Steps(work(seen, lambda: going_on.wait(30) and 1))
    steps.advance()
    steps.cancel()
    assert steps.over and steps.cancelled and steps.result is None
    assert [word for word, _ in seen] == ["start", "end"]
    going_on.set()
    steps.advance()
    assert [word for word, _ in seen] == ["start", "end"]
