"""What the model does not see: recall and archival storage, and the one ranking that searches both."""
