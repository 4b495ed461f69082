"""Limits of a document, so that a hostile one cannot exhaust the memory or time of the reader."""

#: Deepest nesting of containers and objects in one document.
MAX_DEPTH = 100

#: Most bytes that the arrays of one document may need in memory, and most that its objects may
#: declare (`skq.serialization.budget`), unless the caller allows more. A file of this size is read
#: in some seconds.
MAX_BYTES = 2**28

#: Most dimensions of an array.
MAX_DIMENSIONS = 32

#: Bytes that each value of a document counts: reading one takes about a microsecond.
BYTES_A_VALUE = 128

#: Bytes that values and declarations of objects may always need, also where `max_bytes` is lower.
LEAST_ROOM = 2**26
