"""The agent beside a base: reads it, and pushes what it read to sync over HTTP. It needs no database of ours."""
