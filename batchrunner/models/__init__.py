"""What does a model take?  Input schemas, bundled or given, and what they find wrong with inputs.

Pure but for reading schema files.  The bundled schemas stand beside this file, one JSON file a model,
exactly as the service publishes them.
"""

from .findings import Finding
from .schema import InputSchema
from .schemas import Schemas, bundled_models

__all__ = ["Finding", "InputSchema", "Schemas", "bundled_models"]
