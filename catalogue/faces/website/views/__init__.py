"""The pages that speak for several apps."""
