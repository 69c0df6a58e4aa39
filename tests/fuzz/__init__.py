"""Inputs by the million for everything that reads: changed real ones, and sentences of small grammars.

A reader may answer, or refuse with the error that is its own; anything else, or more than some seconds, is a fault.
"""
