"""The browser: a disk seen in a terminal. Only this package knows Textual."""
