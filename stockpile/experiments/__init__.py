"""Lanes of numbers chosen on purpose: what sweeps, sensitivity, break-even and trade-offs are run on."""
