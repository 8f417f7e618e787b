"""The cue phrases of one language, by speech act."""

from __future__ import annotations

from dataclasses import dataclass

from session_core.language.cue import Cue


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """The turns of phrase of a language, by what they do; see `language.cues` for the kinds.

    `takes` and `refuses` are patterns of how an answer begins that takes or turns down what was offered, `doings` one
    of what an assistant may offer to do, `requests` one of how somebody asks politely for what is no question;
    `fillers` are phrases, parted by `|`, that say nothing.
    """

    rules: tuple[Cue, ...] = ()
    constraints: tuple[Cue, ...] = ()
    decisions: tuple[Cue, ...] = ()
    preferences: tuple[Cue, ...] = ()
    identities: tuple[Cue, ...] = ()
    commitments: tuple[Cue, ...] = ()
    corrections: tuple[Cue, ...] = ()
    revisions: tuple[Cue, ...] = ()
    takes: str = ""
    refuses: str = ""
    doings: str = ""
    requests: str = ""
    fillers: str = ""
