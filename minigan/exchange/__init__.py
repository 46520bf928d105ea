"""Exchange: what other libraries train goes on here, and what is trained here goes on there.

This room offers the names listed below.  It imports ``training``, ``weights``, and the rooms that
those import.  PyTorch, safetensors and ONNX are imported only when a file of theirs is written or
read.
"""

from minigan.exchange.exporting import FORMATS, export_run
from minigan.exchange.importing import import_file

__all__ = ["FORMATS", "export_run", "import_file"]
