"""The words of the engine: values, tables and reasons. Standard library and msgspec only."""
