"""Set-up and local running: what `make demo`, `make test`, `make bench` and `make chaos` stand on.

Nothing here runs in production. It installs the dependencies, starts PostgreSQL and Redis where none is given,
starts the processes of the Procfile, watches them and ends every one of them.
"""
