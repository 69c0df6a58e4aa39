"""The comparison inside other software: patient records in, results out."""
