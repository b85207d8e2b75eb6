"""The facility's own programs, as they would be written elsewhere: with the published
`metadata_client`, over HTTP to the legacy API, knowing their mount points and nothing of ours.

Each runs in a process of its own, with an OAuth2 application of its own.
"""
