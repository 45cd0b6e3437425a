"""`python -m burnish` is the program `burnish`."""

from burnish.cli.app import main

if __name__ == "__main__":
    main()
