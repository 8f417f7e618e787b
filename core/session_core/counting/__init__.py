"""Token counting: with a local table if there is one, else a calibrated estimate; never over the network."""
