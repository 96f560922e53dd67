"""Local images: named by a path in the manifest, staged in an object store, sent as presigned addresses.

Inputs hold a *reference* that depends on an image's content alone; the address is made when a job is sent.
Reasons: docs/decisions/0021-local-images.md
"""

from .local_images import LocalImage, LocalImages
from .reference import REFERENCE, is_path, is_reference

__all__ = ["REFERENCE", "LocalImage", "LocalImages", "is_path", "is_reference"]
