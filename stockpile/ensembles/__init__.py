"""Ensembles: many draws of a scenario, and what is kept of them."""
