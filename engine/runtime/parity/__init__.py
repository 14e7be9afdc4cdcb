"""A promise tried: a play decides the same bits in a backtest, on the live path and after a kill -9."""
