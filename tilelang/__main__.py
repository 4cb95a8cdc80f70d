"""`python -m tilelang`: the command line, where the script `tilelang` is not on the path."""

from tilelang.cli import main

if __name__ == "__main__":
    main()
