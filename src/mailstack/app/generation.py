"""From a blueprint to the immutable services of one generation: what a connection begins with and ends with.

Built beside the generation that serves; nothing here starts, listens or writes until `begin`.
"""
