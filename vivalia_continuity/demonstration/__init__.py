"""The whole day of the bulletin without a browser, on a throw-away database."""
