"""What would be sent, over whole companies: asked for, worked on in parts by other processes, kept some days.

Nothing here says an event or changes a row of the state: a part reads one snapshot and lives on copies.
"""
