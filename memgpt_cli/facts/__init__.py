"""Rules for facts: reading an extractor's reply, checking it against messages, weighing it against known facts."""
