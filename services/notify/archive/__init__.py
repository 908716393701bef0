"""The legal archive: what was sent, to whom, when, with its proof, in a chain that nobody changes unseen."""
