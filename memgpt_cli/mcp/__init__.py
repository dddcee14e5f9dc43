"""The MCP server: an agent's memory as tools of other programs. It needs the extra `mcp`."""
