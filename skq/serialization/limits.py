"""Bounds that a document has to keep, so that a hostile one cannot exhaust the reader."""

#: Deepest nesting of containers and objects in one document.
MAX_DEPTH = 100

#: Most bytes that the arrays of one document may take in memory, and most that its objects may
#: declare (`skq.serialization.budget`), unless the caller allows more. A file that takes it all is
#: read in some seconds.
MAX_BYTES = 2**28

#: Most dimensions of an array.
MAX_DIMENSIONS = 32

#: What a value of a document counts, array or not: reading one takes about a microsecond.
BYTES_A_VALUE = 128

#: Least bytes that values, and what objects declare, may take, whatever arrays may.
LEAST_ROOM = 2**26
