"""How good the numbers are: every study predicted from all the others, beside simpler ways of predicting it."""
