"""The functions the model may call, their schemas, and the executor that runs them."""
