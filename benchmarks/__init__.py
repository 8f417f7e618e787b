"""Measurements, each printed with its command; ratios beside the peers, in one run."""
