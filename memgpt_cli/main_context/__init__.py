"""The model's view: core memory, the FIFO queue, and the queue manager that keeps both inside the window."""
