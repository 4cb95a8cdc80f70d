"""The kernels that come with tilelang, one file each."""
