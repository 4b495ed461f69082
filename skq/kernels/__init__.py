"""The compiler from an integer program to the constant plan of the C kernels, and their sources."""
