"""A correction in another language takes the place of what it corrects; what only sounds like one does not."""

from __future__ import annotations

import pytest

from session_core.language.cues import is_correction


@pytest.mark.parametrize(
    "sentence",
    [
        "Die Probe verschiebt sich auf Donnerstag.",
        "Ich habe mich beim Preis vertan, es sind 40 Euro.",
        "Wir treffen uns nicht mehr im Keller, sondern auf dem Dach.",
        "La répétition est reportée au 9 mars.",
        "On a changé d'avis, ce sera la grande salle.",
        "Je me suis trompé, ils sont onze.",
        "Al final vamos en tren.",
        "Me equivoqué, son doce sillas.",
        "Mi sono sbagliata, la sala è la B.",
        "Mudei de ideia, prefiro o azul.",
        "Jednak wolę pokój na parterze.",
        "練習は木曜日に変わりました。",
        "すみません、やっぱり赤がいいです。",
        "排练推迟到周四。",
        "Репетицию перенесли на четверг.",
    ],
)
def test_corrections_in_other_languages_are_recognised(sentence: str) -> None:
    assert is_correction(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Das Wetter ist schön, und die Probe beginnt um acht.",
        "Je voudrais une place au premier rang.",
        "La idea es ir en tren.",
        "La fine del mese va bene.",
        "練習は木曜日です。",
        "排练在周四。",
        "Репетиция в четверг.",
    ],
)
def test_words_of_a_correction_alone_correct_nothing(sentence: str) -> None:
    assert not is_correction(sentence)
