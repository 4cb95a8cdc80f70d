"""What makes a block program good Triton, in order; each pass is a function of one stage.

Before the blocks there are three passes on the tile program: `widen_chunks`, `drop_ping_pong` and
`merge_branches` undo what only a chip with small memories needs.
"""
