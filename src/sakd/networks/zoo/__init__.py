"""The networks of the usual benchmarks, written as stages."""
