"""innerloop measures the inner development loop, with informed consent. This module imports nothing."""

__version__ = "0.1.0"
