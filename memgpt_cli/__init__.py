"""A language model with a memory that outlives its context window (MemGPT, Packer et al. 2023).

Nothing is imported here and nothing happens at import.
"""

__version__ = "0.1.0"
