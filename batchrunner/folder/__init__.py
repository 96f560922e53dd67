"""The output folder: what stands where, who owns it, and whether all that it promises is there."""
