"""The rows that the published clients' own test suites presuppose: `rows.json`, in the words of our
tables, with the ids that the suites name. (Made from the suites; there is no more in it than they
need.) `manage.py enter_suite_rows` enters them into a catalogue that is there for tests.
"""
