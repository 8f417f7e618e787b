"""A view in the form that a provider's own SDK takes."""
