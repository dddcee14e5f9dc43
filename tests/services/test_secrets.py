"""Keys in texts: recognised, named, masked; and what only looks like one at first sight."""

import random
import string

import pytest

from memgpt_cli.services.secrets import kinds_of, masked

ALPHANUMERIC = string.ascii_letters + string.digits


def some(count: int, characters: str = ALPHANUMERIC) -> str:
    return "".join(random.Random(count).choices(characters, k=count))


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        (f"AKIA{some(16, string.ascii_uppercase + string.digits)}", "AWS Access Key"),
        (f"ghp_{some(36)}", "GitHub Token"),
        (f"sk-{some(20)}T3BlbkFJ{some(20)}", "OpenAI Token"),
        (f"sk_live_{some(24)}", "Stripe Access Key"),
        (f"glpat-{some(20)}", "GitLab Token"),
        (f"SG.{some(22)}.{some(43)}", "SendGrid API Key"),
        (f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{some(43)}", "JSON Web Token"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{some(64)}\n{some(40)}\n-----END RSA PRIVATE KEY-----", "Private Key"),
    ],
)
def test_a_key_is_named_and_masked(secret: str, kind: str) -> None:
    told = masked(f"My key is {secret}, keep it safe.")
    assert kinds_of([f"My key is {secret}, keep it safe."]) == [kind]
    assert told == f"My key is {secret[:4]}…[{kind}], keep it safe."


def test_of_an_address_the_password_is_masked() -> None:
    assert masked("see https://ada:hunter22@example.org/x") == (
        "see https://ada:hunt…[Basic Auth Credentials]@example.org/x"
    )


@pytest.mark.parametrize(
    "text",
    [
        "I live in Lisbon since 2023.",
        "the turn 123e4567-e89b-12d3-a456-426614174000",
        "AWS is a cloud provider, and my cat is called Akia.",
        "https://example.org/a/b?c=d",
        "/srv/pytest-of-root/pytest-12/test_a_rather_long_name_of_2024/data",
        "order 2026-11-28-ABCDEF-99182, IP 192.0.2.7",
        "我的钥匙在抽屉里",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert masked(text) == text
    assert kinds_of([text]) == []
