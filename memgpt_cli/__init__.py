"""Memory for language models that outlives their context window (MemGPT, Packer et al. 2023).

Importing this package has no effects and imports nothing else.
"""

__version__ = "0.1.0"
