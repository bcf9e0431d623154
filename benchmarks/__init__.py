"""Measured ratios. Each file measures rivals side by side in one run; `python -m benchmarks` keeps the tables."""
