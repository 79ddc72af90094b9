"""The equations and what they are about. Knows numpy and nothing else."""
