"""What jobs cost: counted in whole micro-dollars, read from the catalogue, summed up for a run."""
