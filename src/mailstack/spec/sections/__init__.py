"""The sections of the spec, as pydantic models; the descriptions are what editors show (schemas/)."""
