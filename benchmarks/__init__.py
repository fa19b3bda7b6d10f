"""Measurements of the product against references that run beside it: `python -m benchmarks --help`.

Each is a module with `NAME`, `HELP` and `measure`; floors are kept by the exit code. Machines differ, so what counts is
the ratio of two sides that take turns in one run, not a figure by itself.
"""
