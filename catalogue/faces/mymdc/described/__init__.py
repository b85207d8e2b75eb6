"""What the legacy API is, as data: `tables.json` holds its operations and the attributes of its
resources (facts of the facility's public description and of the published clients), `document.py`
makes an OpenAPI document of them. Served as `openapi.json` of each tree, and what tests go by.
"""
