"""Which passages are reported as saying nearly the same: rewordings, and not other statements of the same form."""

from memgpt_cli.external_context.archival import ALIKE, alike

REWORDED = [
    ("The boat to Bergen sails at noon on Fridays", "On Fridays the Bergen boat leaves at noon"),
    ("Ana is allergic to peanuts", "Ana has a peanut allergy"),
    ("Ben works as a nurse at the city hospital", "Ben is a nurse and works in the city hospital"),
    ("The wifi password of the cabin is otter42", "Cabin wifi password: otter42"),
    ("Mara's birthday is on 3 May", "Mara was born on 3 May"),
    ("We decided to move the launch to October", "The launch was moved to October, as decided"),
    ("Tom prefers tea over coffee", "Tom likes tea more than coffee"),
    ("Lena's dog is called Biscuit and is four years old", "Lena has a four-year-old dog named Biscuit"),
    ("The rent is 1200 euros a month", "Monthly rent: 1200 euros"),
    ("Our flight to Lima is on 12 June with LATAM", "LATAM flight to Lima on June 12"),
    ("Use pytest -n 4 to run the tests quickly", "Run the tests quickly with pytest -n 4"),
    ("The meeting with the bank is on Tuesday at 10", "Tuesday at 10: meeting with the bank"),
    ("安娜住在上海,在一家医院当护士", "安娜在上海住,是一家医院的护士"),
]

DIFFERENT = [
    ("The boat to Bergen sails at noon on Fridays", "The boat to Oslo sails at ten on Sundays"),
    ("Ana is allergic to peanuts", "Ben is allergic to shellfish"),
    ("Ana is allergic to peanuts", "Ana loves peanuts"),
    ("Ben works as a nurse at the city hospital", "Ben's sister works as a doctor at the city hospital"),
    ("The wifi password of the cabin is otter42", "The wifi password of the office is heron77"),
    ("Mara's birthday is on 3 May", "Tom's birthday is on 3 June"),
    ("Tom prefers tea over coffee", "Tom drinks tea at work"),
    ("The rent is 1200 euros a month", "The electricity is 80 euros a month"),
    ("Our flight to Lima is on 12 June with LATAM", "Our flight to Quito is on 20 June with LATAM"),
    ("Use pytest -n 4 to run the tests quickly", "Use ruff to format the tests"),
    ("The meeting with the bank is on Tuesday at 10", "The meeting with the school is on Thursday at 9"),
    ("Passage 3 on Quito has a value", "Passage 4 on Porto has a value"),
    ("安娜住在上海,在一家医院当护士", "王明住在北京,在一所学校当老师"),
]


def test_rewordings_are_near_duplicates_and_other_statements_are_not() -> None:
    assert sum(alike(*pair) >= ALIKE for pair in REWORDED) >= len(REWORDED) - 1
    assert not [pair for pair in DIFFERENT if alike(*pair) >= ALIKE]
