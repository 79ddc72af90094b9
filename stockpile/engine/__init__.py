"""Runs of the equations: difference and ODE. Knows the model, and arrays without names."""
