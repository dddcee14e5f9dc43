"""The HTTP server: agents as the models of an OpenAI-compatible endpoint. It needs the extra `serve`."""
