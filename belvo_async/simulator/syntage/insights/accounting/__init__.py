"""The accounts of taxpayers: what annual returns and electronic accounting say, and the insights that stand on them."""
