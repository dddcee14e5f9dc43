"""OpenAI's Responses API, stateless: reasoning together with functions."""
