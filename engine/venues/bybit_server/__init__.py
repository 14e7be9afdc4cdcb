"""A local exchange that speaks the Bybit v5 linear protocol on loopback."""
