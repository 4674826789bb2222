"""The organisation's board: a year of marts as one HTML file that needs no server, no network and no library.

Here belongs: packing rows so that they open fast and lose no digit, and the page around them.
Here does not belong: reading the lake; any figure that a mart does not hold or that is not a sum of its rows.
"""

from reports.board.given import BoardMonth, BoardRows
from reports.board.render import render_board

__all__ = ["BoardMonth", "BoardRows", "render_board"]
