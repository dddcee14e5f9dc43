"""No import of a vendor package is met half made by another thread."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.strict_server import StrictServer

ROOT = Path(__file__).parents[2]

STARTS = """
import importlib.abc, importlib.machinery, sys, threading
from memgpt_cli.domain.chat import ChatRequest, PromptMessage
from memgpt_cli.llm.openai_chat import OpenAIChat
from memgpt_cli.vendors import load

half_made, answered = threading.Event(), threading.Event()

class Pause(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    # Half of httpx stays what another thread finds until the call is answered, or a second is over.
    def find_spec(self, name, path=None, target=None):
        if name == "httpx._client" and threading.current_thread() is not threading.main_thread():
            half_made.set()
            answered.wait(1)
        return None

sys.meta_path.insert(0, Pause())
outbox = threading.Thread(target=load, args=("chromadb",))
if sys.argv[2] == "outbox first":
    import openai
    outbox.start()
    half_made.wait(1)
model = OpenAIChat("gpt-4o", base_url=sys.argv[1], api_key=None, max_retries=0)
request = ChatRequest(model="gpt-4o", messages=(PromptMessage(role="user", content="Hello"),))
if sys.argv[2] == "model first":
    list(model.stream(request))
    outbox.start()
    while outbox.is_alive() and not half_made.wait(0.02):
        pass
for _ in range(50):
    list(model.stream(request))
answered.set()
outbox.join()
"""


@pytest.mark.parametrize("order", ["model first", "outbox first"])
def test_a_call_while_the_outbox_imports_chroma_is_answered(order: str) -> None:
    with StrictServer() as server:
        subprocess.run([sys.executable, "-c", STARTS, server.base_url, order], check=True, cwd=ROOT)
        assert len(server.requests) == (51 if order == "model first" else 50)
