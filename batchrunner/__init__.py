"""Runs manifests of paid media-generation jobs: never pays twice, never loses a paid result."""

__version__ = "0.1.0"
