"""What traders see in a chart, found bar by bar: swings, trend, breaks, levels, sessions and gaps.

They keep the contract of indicators of bars (see `engine.strategy.indicators`): one small class each,
`update(bar)`, `state()` and `restore()`, the same bits however they are fed. Nothing is said before it is
certain: a swing is known when the bars to its right have closed, and never moves afterwards. What has not
been seen yet is missing, which may last longer than `warmup`, the bars it takes at least.
"""
