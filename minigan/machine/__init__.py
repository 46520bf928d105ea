"""The machine under the library: OpenBLAS's settings, the terminal, safe writing of files.

This room knows nothing about the rest of minigan; the other rooms import its modules.  It imports
only Python's standard library, and inside functions threadpoolctl, to ask about BLAS, and tqdm, to
draw a bar, because ``import minigan`` configures OpenBLAS here before NumPy is loaded.
"""
