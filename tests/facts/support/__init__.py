"""Helpers of the tests of facts."""
