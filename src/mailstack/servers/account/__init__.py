"""The page by which people look after their own account."""
