"""innerloop's collector: it receives events, keeps them and reports to the team."""

__version__ = "0.1.0"
