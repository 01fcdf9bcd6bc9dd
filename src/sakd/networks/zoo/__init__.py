"""The networks of the field's benchmarks, written as stages."""
