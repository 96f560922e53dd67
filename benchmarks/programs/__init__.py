"""Programs that benchmarks start as processes of their own, so that cost and memory are theirs alone."""
