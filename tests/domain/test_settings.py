"""The window and the reserve for the reply."""

import pytest

from memgpt_cli.domain.settings import WindowSettings


@pytest.mark.parametrize("reserve", [0, 512])
def test_the_smallest_window_for_a_prompt_holds_it_and_one_token_less_does_not(reserve: int) -> None:
    for prompt in (*range(1, 300), *range(28_600, 28_700), 100_000):
        window = WindowSettings(reserve=reserve).window_for(prompt)
        fits = [w - WindowSettings(window=w, reserve=reserve).reserved >= prompt for w in (window, window - 1)]
        assert fits == [True, False], prompt
