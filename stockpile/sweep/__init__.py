"""Sweeps: designs of points, worked out in shards by threads, processes or a cluster, stored so that nothing is done twice."""
