"""The comparison inside other software: records in, REST and CDS Hooks out; nothing is written, nothing logged."""
