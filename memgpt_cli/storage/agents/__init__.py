"""Agents as folders and as files: create, copy, export, import, back up."""
