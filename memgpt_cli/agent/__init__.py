"""The agent loop: it handles an event and runs steps until the agent yields."""
