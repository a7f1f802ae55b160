"""Whole programs, each to be run as it is: `python -m examples.worker`, `uvicorn examples.several_workers:app`."""
