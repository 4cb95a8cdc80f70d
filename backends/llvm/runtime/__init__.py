"""What runs: the executable, its arguments, the compiler, the cache and the threads."""
