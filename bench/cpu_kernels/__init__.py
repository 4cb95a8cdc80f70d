"""The library's kernels on the llvm backend against the peers a user could pick: see `__main__`.

One module a family; each has a function `rows(quick)` that yields its table, a `Row` at a time.
"""
