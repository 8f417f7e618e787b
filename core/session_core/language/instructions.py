"""Detects data that addresses the model: as instructions, as a user's message or wish, or as one of our own notes."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.cues import is_commitment, is_rule, may_be_rule
from session_core.language.words import SENTENCES

_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}?\b(?:previous|prior|above|all|any|earlier|"
    r"instructions?|rules?|guidelines|everything|your)\b|"
    r"\b(?:new|updated|special|important|hidden) (?:instructions?|rules?|directives?|polic(?:y|ies))\b|"
    r"\bsystem (?:prompt|message|override|notice)\b|\bbegin (?:system|instructions?)\b|"
    r"\bas an? (?:ai|assistant|language model)\b|\byou are (?:now|an?|the)\b|\bact as\b|"
    r"\b(?:assistants?|agents?|ai|model|llm)\s*[,:]?\s+(?:must|should|shall|has to|have to|needs? to|is to|are to)\b",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(?:^|[\n:.!?>\"“])[ \t*_(\[]{0,8}(?:system|assistant|user|human|developer|admin)\s*:|"
    r"<\|?/?(?:im_|system|inst)|<!--|"
    r"</?(?:system|user|assistant|human|instructions?|rules?|tool_\w+|function_\w+)\b[^<>]{0,80}>|"
    r"^[ \t>]{0,8}#{1,6}[ \t]*(?:system|instructions?|user|assistant)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""The beginning of a message with a role, or a tag or comment that may contain one."""
_WILL = re.compile(
    r"\bthe (?:users?|humans?|owners?|admin\w*|operators?|developers?)\b.{0,24}?\b(?:decided|confirm\w*|agreed?s?|"
    r"approv\w*|authori[sz]\w*|ask(?:s|ed)|instruct\w*|wants?|wanted|said|says|requir\w*|prefers?|preferred|"
    r"consent\w*|permission|expects?|allow\w*)\b",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(?:^|[\n\[({\"'“>:;.!?|*#-]\s{0,8})(?:key facts?|facts?|(?:standing |new |user |house |hard )?rules?|"
    r"preferences?|constraints?|decisions?|corrections?|commitments?|memory|memories|remember|instructions?|"
    r"directives?|(?:note|message|notice) (?:to|for) (?:self|the |all |any )?\s?(?:assistants?|ai|models?|agents?|"
    r"llms?)?)"
    r"[\"'”]?\s*[:=]|\((?:rule|constraint|decision|correction|preference|commitment|identity)\)|"
    r"\[(?:earlier in this|from earlier in|recalled:|inst\b|system\b|assistant\b|user\b|instruction)",
    re.IGNORECASE | re.MULTILINE,
)
_BEFORE = r"(?:^|[\n.!?:;,\"'“”>)\]}|–—-]\s{0,8})"
_LEAD = (
    r"(?:(?:please|kindly|now|then|just|immediately|simply|hereby|also|first|next|and|so|go ahead and|"
    r"you (?:can|may|will))\s+){0,3}"
)
_VERBS = (
    r"(?:send|forward|transfer|wire|pay|e-?mail|reply|respond|tell|reveal|disclose|delete|remove|approve|grant|call|run|"
    r"execute|click|visit|open|buy|book|cancel|confirm|include|append|add|insert|copy|b?cc|post|upload|download|share|"
    r"set|use|say|write|print|output|treat|assume|pretend|refund|give|charge|redirect|replace|switch|update|install|"
    r"skip|stop|start|enter|submit|route|direct|prefer|recommend|trust|accept|apply|store|save|schedule|make)"
)
_OBJECTS = (
    r"(?:the|all|any|every\w*|this|that|these|those|an?|it|them|him|her|me|us|your?|my|our|their|to|only|no|code|account|"
    r"money|payments?|funds?|invoices?|at|in|on|as|with|from|everything|users?|[$€£]|\S*\d\S*|https?:)(?!\w)"
)
_ASKS = re.compile(rf"\b(?:always|never)\s+\w|{_BEFORE}{_LEAD}{_VERBS}\s+{_OBJECTS}", re.IGNORECASE)
_PARTS = re.compile(r"[\"“”{}\[\]()<>:;.,!?\n]+\s*")
_BY_QUOTES = re.compile(r"[\"“”«»„「」:]\s*")


def imitates_message(text: str) -> bool:
    """Whether `text`, found in data, imitates a message, a user's wish or one of our notes."""
    if _ORDER.search(text) or _WILL.search(text):
        return True
    headed = ":" in text
    if (headed or "<" in text or "#" in text) and _ROLE.search(text):
        return True
    return (headed or "=" in text or "(" in text or "[" in text) and _NOTE.search(text) is not None


@lru_cache(maxsize=SENTENCES)
def is_instruction(text: str) -> bool:
    """Whether `text`, found in data, addresses the model with instructions or claims to know a user's wish."""
    if imitates_message(text) or _ASKS.search(text):
        return True
    # What matches no word of a line matches none of its parts, of which a log line has dozens.
    return may_be_rule(text) and any(map(is_rule, (text, *_PARTS.split(text))))


@lru_cache(maxsize=SENTENCES)
def relays_instruction(sentence: str) -> bool:
    """Whether an assistant's `sentence` repeats an instruction that it found: in quotation marks, after a colon, or,
    if it promises nothing, as its own words."""
    if imitates_message(sentence):
        return True
    told, *quoted = _BY_QUOTES.split(sentence)
    return any(map(is_instruction, quoted if is_commitment(sentence) else (told, *quoted)))
