"""What every log of requests has in common, whichever gateway, tracer or cloud wrote it.

Here belongs: what of a value may be landed, points in time, token arithmetic, files of rows, and the way from an
attempt to a row of `gateway_requests`. Here does not belong: the fields of any one log.
"""
