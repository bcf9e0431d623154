"""The same learning in the code of those who invented it: one file each, for `benchmarks.training`."""
