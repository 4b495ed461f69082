"""Bytes that a call holds at most, counted by Python's allocator and not by time."""

import tracemalloc


def peak_of(call):
    """What a call returns, and the bytes that it held at most beside what was there."""
    tracemalloc.start()
    try:
        result = call()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
