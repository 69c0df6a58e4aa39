"""Words of every face: sentences, labels, arrangement, languages."""
