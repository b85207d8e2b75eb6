"""The scripted beamtime: a DAQ program and a handful of people, over HTTP only.

Nothing is written behind the site's back but what a DAQ writes, and one byte that is flipped and
put back to see it noticed.
"""
