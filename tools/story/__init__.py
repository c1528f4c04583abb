"""The story of one piece, from a maker's bench to her M-Pesa receipt, driven from outside.

Everything here talks to a running system the way its users do: the office through the web
client's own calls, the shopper and the maker through a real browser, and the simulator and the
postbox through their public pages. Nothing imports Odoo.
"""
