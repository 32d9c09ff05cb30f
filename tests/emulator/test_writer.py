"""Writing beside computing: in order, one piece waiting at most, no error lost."""

import threading

import pytest

from landstep.emulator.writer import Writer


def test_pieces_are_written_in_order_while_the_caller_goes_on():
    begin, done = threading.Event(), []
    with Writer() as writer:
        writer.put(lambda: begin.wait(1800) and done.append(1))
        assert done == []
        begin.set()
        writer.put(lambda: done.append(2))
        assert done[0] == 1
    assert done == [1, 2]


def test_an_error_is_raised_at_the_next_piece_or_the_end():
    def fail():
        raise OSError("disk full")

    done = []
    with pytest.raises(OSError, match="disk full"), Writer() as writer:
        writer.put(fail)
        writer.put(lambda: done.append(1))
    assert done == []
    with pytest.raises(OSError, match="disk full"), Writer() as writer:
        writer.put(fail)


def test_an_error_on_its_way_goes_before_one_of_writing():
    """And what was put before is written all the same."""
    done = []

    def slow():
        done.append(1)
        raise OSError("disk full")

    with pytest.raises(ValueError, match="of a step"), Writer() as writer:
        writer.put(slow)
        raise ValueError("of a step")
    assert done == [1]
