"""The comparison inside other software: REST and CDS Hooks over HTTP; nothing of a patient is written or logged."""
