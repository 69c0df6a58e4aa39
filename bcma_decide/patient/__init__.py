"""What was said of a patient: fields, units, profiles, files."""
