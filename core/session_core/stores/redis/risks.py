"""What a Redis server tells of its memory, as risks for the sessions on it."""

from __future__ import annotations

from session_core.stores.risks import Risk

KEEPS_ALL = "noeviction"
"""The only eviction policy with which a full server refuses writes and loses nothing."""
NEARLY_FULL = 0.9
"""Share of `maxmemory` from which on the doctor warns that writes will be refused."""


def memory_risks(info: str, *, sessions_expire: bool) -> tuple[Risk, ...]:
    """The risks in `info`, the output of INFO memory; with `sessions_expire` keys have an end."""
    figures = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    policy, most = figures.get("maxmemory_policy", KEEPS_ALL), int(figures.get("maxmemory", 0))
    if not most:
        return ()
    if policy == KEEPS_ALL or (policy.startswith("volatile") and not sessions_expire):
        share = int(figures["used_memory"]) / most
        return () if share < NEARLY_FULL else (_full(share, most),)
    return (
        Risk(
            f"the server throws keys away when it is full (maxmemory-policy {policy})",
            "A session that lost one of its keys cannot be read any more, and what goes first is what nobody "
            "used for a while. A deletion finds what is left as long as anything of the session itself is there.",
            f"CONFIG SET maxmemory-policy {KEEPS_ALL}, and in its file; give it room, or ttl_s in the URL.",
        ),
    )


def _full(share: float, most: int) -> Risk:
    return Risk(
        f"the server uses {share:.0%} of its maxmemory of {most / 1_000_000:,.0f} MB",
        "When it is full it refuses writes; nothing stored is lost, and reads still work.",
        "Raise maxmemory, delete idle sessions (llm-sessions delete --older-than DAYS), or set ttl_s in the URL.",
    )
