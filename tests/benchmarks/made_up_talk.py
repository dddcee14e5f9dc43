"""Made-up conversations with the word statistics of real ones: the same in every run, of any size.

The commonest words are English stop words with about their real frequencies; behind them a vocabulary by Zipf's law,
from which each session draws a topic. Questions mix both, as people do.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from memgpt_cli.domain.messages import Message, Role

STOP = (  # noqa: SIM905
    "the to i and a it of you that is in for my was so on have be with this me but are do not just like your we can at"
    " all how what about from been they an there really some will up out had when if know get would as more our time"
    " good great thanks think see has or them she he her his us who did were go could want"
).split()
VOCABULARY = 60_000
SESSION = 24
"""Messages in a session."""


class Talk:
    """A source of messages and questions."""

    def __init__(self, seed: int = 11) -> None:
        self._draw = random.Random(seed)
        made = set(STOP)
        self.words = list(STOP)
        while len(self.words) < VOCABULARY:
            word = "".join(self._draw.choices("aeiounrtslcdpmghbfvkwyz", k=self._draw.randint(3, 9)))
            if word not in made:
                made.add(word)
                self.words.append(word)
        self._common = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))
        self._content = list(accumulate(1 / (rank + 60) for rank in range(VOCABULARY - len(STOP))))

    def messages(self, count: int) -> Iterator[Message]:
        """Messages of two speakers, 8 to 40 words long, in sessions a day apart; ids from 1."""
        draw, at = self._draw, datetime(2000, 1, 1, tzinfo=UTC)
        topic: list[str] = []
        for number in range(count):
            if number % SESSION == 0:
                at += timedelta(hours=6)
                topic = draw.choices(self.words[len(STOP) :], cum_weights=self._content, k=30)
            length = draw.randint(8, 40)
            words = draw.choices(self.words, cum_weights=self._common, k=length - length // 4)
            words += draw.choices(topic, k=length // 4)
            draw.shuffle(words)
            yield Message(
                id=number + 1,
                role=Role.USER,
                name=("Ana", "Ben")[number % 2],
                text=" ".join(words),
                created_at=at + timedelta(seconds=20 * (number % SESSION)),
                in_context=False,
            )

    def questions(self, texts: list[str]) -> list[str]:
        """A question of 8 to 14 words about each text: half of its words are the text's own, the others common ones."""
        draw = self._draw
        made = []
        for text in texts:
            length = draw.randint(8, 14)
            own = list(dict.fromkeys(word for word in text.split() if word not in STOP))
            words = draw.sample(own, min(len(own), length // 2))
            words += draw.choices(STOP, k=length - len(words))
            draw.shuffle(words)
            made.append(" ".join(words) + "?")
        return made
