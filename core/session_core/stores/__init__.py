"""Stores: one module or package per backend."""
