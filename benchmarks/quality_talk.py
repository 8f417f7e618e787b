"""Words for conversations that are made up: names, things, days, and talk that settles nothing."""

from __future__ import annotations

import random

PEOPLE = "Aino Bela Chidi Dagny Emre Farida Goran Hanneke Ilmar Jorunn Katya Lorcan Malia Nils Oluchi Paavo".split()
SURNAMES = "Aaltonen Brandt Castellano Dvorak Eriksen Farkas Grimaldi Hollis Ivanova Jansen Kowalczyk Lindner".split()
STREETS = "Quay Mill Orchard Signal Foundry Harbour Chapel Lantern Granite Willow Ferry Station".split()
COLOURS = "amber cobalt crimson graphite ivory jade lilac olive scarlet teal".split()
MODELS = "Kestrel Heron Marten Lynx Otter Plover Sable Tern Vole Wren".split()
MONTHS = "January February March April May June July August September October November December".split()

_WHO = ("most people", "our neighbours", "the older visitors", "those who come by train", "newcomers", "the regulars")
_DO = ("like", "ask about", "notice", "talk of", "look for", "forget", "compare", "photograph")
_WHAT = (
    "the light in the afternoon",
    "the view from the stairs",
    "the quiet corners",
    "the old photographs",
    "the smell of fresh bread",
    "the little garden behind",
    "the way the doors close",
    "the benches by the water",
    "the music in the evening",
    "the wide windows",
)
_WHY = (
    "since it is what sets the place apart",
    "which surprises everybody at first",
    "although nobody planned it that way",
    "and it costs nothing to keep",
    "as long as the weather holds",
    "because it has always been like that",
    "though tastes differ, of course",
    "and that is easy to build on",
)
_LEAD = (
    "In general",
    "To my mind",
    "As far as I can tell",
    "From what others report",
    "On the whole",
    "Looking at it calmly",
    "As so often",
    "Seen from the outside",
)
_SMALL_TALK = (
    "What makes such an evening feel relaxed?",
    "Tell me a little more about how others go about it.",
    "Is there something that people usually overlook?",
    "How would you describe the mood to somebody who has never been there?",
    "What do guests tend to remember afterwards?",
    "Anything that could make it feel less formal?",
)


def chatter(rnd: random.Random, sentences: int) -> str:
    """So many sentences without a name, a number or a wish."""
    return " ".join(
        f"{rnd.choice(_LEAD)}, {rnd.choice(_WHO)} {rnd.choice(_DO)} {rnd.choice(_WHAT)}, {rnd.choice(_WHY)}."
        for _ in range(sentences)
    )


def small_talk(rnd: random.Random) -> str:
    """A question that nothing hangs on."""
    return rnd.choice(_SMALL_TALK)


def person(rnd: random.Random) -> str:
    """A first name and a surname."""
    return f"{rnd.choice(PEOPLE)} {rnd.choice(SURNAMES)}"


def day(rnd: random.Random) -> str:
    """A day of the year, as people say it."""
    return f"{rnd.randint(1, 28)} {rnd.choice(MONTHS)}"


def iso_day(rnd: random.Random) -> str:
    """A day as programs write it."""
    return f"2027-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}"


def code(rnd: random.Random, prefix: str, digits: int = 6) -> str:
    """An identifier that nothing else is called."""
    return f"{prefix}{rnd.randrange(10 ** (digits - 1), 10**digits)}"


def euros(rnd: random.Random, low: int, high: int) -> str:
    """An amount with its currency."""
    return f"{rnd.randrange(low, high, 10):,} euros"
