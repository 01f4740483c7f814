"""Sets up a checkout: virtual environments, packages, models, sample archive.

Standard library only, but for `sample`: it runs before anything is installed.
"""
