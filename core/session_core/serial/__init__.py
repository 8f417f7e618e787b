"""Messages as bytes and back, exactly: values, provider-shaped blocks, bodies for stores."""
