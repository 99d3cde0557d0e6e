"""The assistant and all it is made of: standard library only, no I/O."""
