"""Market data sources and venues behind the ports."""
