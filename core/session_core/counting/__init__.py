"""Counting tokens: with a table where one is at hand, by a calibrated estimate otherwise; never over the network."""
