"""The engines that run integer programs, and the dispatch between them."""
