"""Anthropic's Messages API. Requests use the transport of all APIs, so the anthropic package is not required."""
