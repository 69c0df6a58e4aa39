"""The comparison inside other software: records in, REST and CDS Hooks out; nothing of a patient is written or logged."""
