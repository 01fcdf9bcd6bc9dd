"""Any model as a staged network, by cutting the graph of its forward pass."""

from sakd.networks.staging.traced import TracedNetwork, stage

__all__ = ["TracedNetwork", "stage"]
