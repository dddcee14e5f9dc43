"""Storage outside the model's view: recall and archival storage, and the ranking that searches both."""
