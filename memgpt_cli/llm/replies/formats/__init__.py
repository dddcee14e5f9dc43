"""Readers for the ways in which model families write calls as text."""
