"""Views in the formats of providers' SDKs."""
