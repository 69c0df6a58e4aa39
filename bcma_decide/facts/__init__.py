"""What follows from what was said, in three values: drug history, measures, scores, traits."""
