"""The YAML file: read with line marks, checked as a whole, turned into models. Nothing here applies anything."""
