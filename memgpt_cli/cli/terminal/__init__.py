"""What all commands share: the console, tables, pages, progress, the editor."""
