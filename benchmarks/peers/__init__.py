"""Compares the speed of a backtest with other systems', each in an environment of its own."""
