"""The built-in mail server of demonstrations and tests: takes every mail, sends none on, shows them on a page."""
