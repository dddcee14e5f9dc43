"""The loop: an event comes in, steps run until the agent yields."""
