"""`python -m ncdsurv.cli`."""

from ncdsurv.cli import main

if __name__ == "__main__":
    main()
