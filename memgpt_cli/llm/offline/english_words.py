"""Words that the English sentence forms are made of: relatives, pets, attributes, states of a person."""

import re
from typing import Final

RELATIVES: Final = (
    "wife husband partner spouse girlfriend boyfriend fiance fiancé fiancée mother mom mum father dad stepmother"
    " stepfather parents brother sister sibling son daughter child children kid kids baby twin twins grandmother"
    " grandfather grandma grandpa grandson granddaughter uncle aunt cousin nephew niece friend roommate flatmate"
    " neighbor neighbour boss manager colleague coworker teacher mentor coach therapist doctor dentist cat dog pet"
    " kitten puppy rabbit hamster parrot horse pony turtle tortoise bird goldfish snake lizard gerbil budgie ferret"
    " landlord landlady grandparents grandmom granddad girlfriend bestie gf bf mate bro sis hubby classmate"
    " supervisor ex"
)
RELATIVE: Final = "|".join(sorted(RELATIVES.split(), key=len, reverse=True))
SOMEBODY: Final = (
    rf"(?:(?:older|younger|little|big|elder|best|other|second|twin|oldest|youngest) )?(?:{RELATIVE})(?:-in-law)?"
)
PROPER_NAME: Final = r"(?-i:[^\W\d_a-z][\w'’-]*(?: [A-Z][\w'’-]*){0,2})"
NAMED_CALLED: Final = r"(?:called|named)"
_NUMBER: Final = r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen)"
AGE: Final = rf"{_NUMBER}(?: (?:years?|months?|weeks?)(?: old)?| y/?o)?\b"
PASSING: Final = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|this (?:morning|afternoon|evening|week|weekend)|right now|at the moment"
    r"|last (?:night|week)|next week|ago)\b",
    re.IGNORECASE,
)
"""Signs that what is told will not be true for long."""
PETS: Final = "cat|dog|kitten|puppy|rabbit|hamster|parrot|horse|turtle|bird|fish|snake|pet|guinea pig"
COUNTED: Final = r"(?:an?|one|two|three|four|five|six|seven|\d|some|several|no) "
OWNED: Final = (
    rf"{COUNTED}(?:(?!and )[\w-]+ ){{0,2}}(?:{RELATIVE}|{PETS})(?:s|es)?"
    rf"(?:(?:,? (?:called|named|whose name is)|:) (?!{COUNTED})[\w'’-]+(?:(?:,| and) (?!{COUNTED})[\w'’-]+){{0,3}})?"
)
ATTRIBUTE: Final = (
    r"email(?: address)?|e-mail|(?:home |work |mobile |phone |cell )?(?:phone|number|address)|mobile|job|profession"
    r"|occupation|home ?town|home country|nationality|native language|mother tongue|religion|(?:zodiac|star) sign"
    r"|hobby|hobbies|goal|dream(?: job)?|car|bike|company|employer|school|university|college|major|team|user ?name"
    r"|pronouns|height|weight|(?:shoe |shirt )?size|blood type|time ?zone|diet|(?:middle|last|family|maiden) name"
    r"|surname|title|band|instrument|sport|(?:wedding )?anniversary|house|apartment|ethnicity|heritage"
)
NATIONALITY: Final = (
    r"(?:half[- ])?(?:American|British|English|Irish|Scottish|Welsh|French|German|Italian|Spanish|Portuguese|Dutch"
    r"|Belgian|Swiss|Austrian|Swedish|Norwegian|Danish|Finnish|Polish|Czech|Slovak|Hungarian|Romanian|Bulgarian|Greek"
    r"|Turkish|Russian|Ukrainian|Chinese|Japanese|Korean|Vietnamese|Thai|Indian|Pakistani|Iranian|Israeli|Egyptian"
    r"|Nigerian|Kenyan|Canadian|Mexican|Brazilian|Argentinian|Chilean|Colombian|Australian|Jewish|Muslim|Christian"
    r"|Catholic|Buddhist|Hindu)"
)
STATE: Final = (
    rf"(?:a )?(?:vegetarian|vegan|pescatarian|diabetic|coeliac|celiac|lactose[- ]intolerant|gluten[- ](?:free"
    rf"|intolerant)|deaf|blind|colou?r[- ]?blind|dyslexic|pregnant|retired|unemployed|self-employed"
    rf"|(?:happily )?married(?: to (?-i:[A-Z])\w+)?|single|divorced|engaged(?: to (?-i:[A-Z])\w+)?|widowed|gay"
    rf"|lesbian|bisexual|trans(?:gender)?|queer|non-?binary|autistic|left-handed|right-handed|an only child"
    rf"|{NATIONALITY})(?: (?:woman|man|person))?"
)
KIND_OF_ONE: Final = re.compile(rf"(?:{NATIONALITY}|OK|Black|White|Asian|African|European|Latino|Persian|Siamese)\b")
"""Capitalised words that are no names."""
