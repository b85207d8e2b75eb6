"""Who signs in, and as whom: local accounts, LDAP, OpenID, and what each of them may give.

Import the modules; nothing is offered here. What needs python-ldap (extra `ldap`) is imported only
where LDAP is configured.
"""
