"""Anthropic's Messages API. The anthropic package is not needed: requests go through the transport of all APIs."""
