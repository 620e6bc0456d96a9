"""Mail on its way in: who receives it, what is written on top of it, how it becomes durable."""
