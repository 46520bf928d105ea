"""The contestants of ``benchmark_vs_pytorch.py``, and how they take turns."""
