"""The strict readers of YAML and JSON: what is not plainly one value is refused with file, line and place."""
