"""How large a schedule file may be before it is refused instead of filling the machine.

A group of six hospitals exports some 30,000 rows of 300 characters for a month.
"""

LARGEST_FILE = 50 * 1024 * 1024  # bytes
LARGEST_UNPACKED = 400 * 1024 * 1024  # bytes of an XLSX once unzipped
MOST_ROWS = 200_000
MOST_CELLS = 8_000_000  # calamine reserves 24 bytes for each, empty or not
LONGEST_LINE = 1024 * 1024  # characters
LARGEST_SHARED_STRINGS = 64 * 1024 * 1024  # bytes; in memory they take three to four times that
MOST_ROWS_BYTES = 400 * 1024 * 1024  # of an XLSX, as rows
