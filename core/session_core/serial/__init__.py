"""Exact serialization of messages: values, provider-specific blocks, bodies for stores."""
