"""One file for each extension, and for the core of the language; ../extensions.py lists them."""
