"""Protocol servers: each speaks one protocol to the outside and the use cases to the inside."""
