"""The compiler from an integer program to a plan of the C kernels, and the C sources."""
