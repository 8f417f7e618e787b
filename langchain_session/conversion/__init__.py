"""LangChain messages in the form of the record, and back exactly; each live message is converted once.

Modules: `messages` (there and back), `native` (what has no neutral form), `marks` (what a view changed),
`message_cache` and `conversion_cache` (live messages that were converted before).
"""
