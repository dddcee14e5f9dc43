"""Use cases without a terminal: what the command line, MCP and HTTP do for a person, with values in and out.

They stand on bootstrap and the layers below it, print nothing and ask nothing.
"""
