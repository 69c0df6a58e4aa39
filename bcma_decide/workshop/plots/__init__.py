"""Plots of a meta-analysis as SVG text, on a terminal, and the page that holds them.

Drawn by an own small writer because a plotting library weighs more than the rest of the install together (matplotlib
alone over 30 MB) and writes SVG whose letters are outlines, which neither a screen reader nor a search can read.

Everything is drawn in the colour of the surrounding text, told apart by shape, dash and density: what a plot says
survives a dark screen, a grey printer and colour blindness. Judgements of bias alone have colours too, because readers
know them by these; each has a shape and a sign besides.
"""
