"""Tool outputs: what kind of text each is, how its kind is read, and a shorter rendition that says what it leaves out.

In the order in which one may read it:

- `clip` (the door, which tells the kind of text), `arguments` (those of a tool call).
- JSON: `json_text` (parsed as tools print it), `json_shape`, `json_rows`, `json_parts`.
- Rows and columns of any source: `tables`, `columns`, `grid`.
- Other kinds: `logs`, `traces`, `markup`, `sources`, `prose`; what a person says: `both_ends`.
- Shared by all: `lines`, `pieces` (which stay, and a mark for each gap), `relevance` (of a line for a question).
"""
