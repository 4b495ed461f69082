"""Bounds that a document has to keep, so that a hostile one cannot exhaust the reader."""

#: Deepest nesting of containers and objects in one document.
MAX_DEPTH = 100

#: Most bytes that all arrays of one document may take in memory, unless the caller allows more.
MAX_BYTES = 2**32

#: Most dimensions of an array.
MAX_DIMENSIONS = 32

#: What a value of a compressed document counts, as its text alone takes next to nothing there.
BYTES_A_VALUE = 64

#: Least bytes that the values of a compressed document may take, whatever arrays may.
LEAST_ROOM = 2**26
