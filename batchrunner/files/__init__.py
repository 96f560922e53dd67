"""Files on a disk: names for them, how they come to lie there, and what a disk can be relied on for."""
