"""Stand-ins for MindSpore's operator registration, with which its TIK operators begin."""

from collections.abc import Callable

from tilelang.backends.tik.shims import checks


class OperatorDescription:
    """`TBERegOp`: accepts a description of the operator, a call at a time, and keeps none of it."""

    def __init__(self, name: str) -> None:
        """Begin to describe the operator `name`."""
        self._name = name

    def __getattr__(self, part: str) -> Callable[..., "OperatorDescription"]:
        """Return the method that describes `part`: it returns the description."""
        if part.startswith("__"):
            raise AttributeError(part)
        return lambda *args, **options: self

    def get_op_info(self) -> str:
        """Return what stands for the finished description: the operator's name."""
        return self._name


class TypeNames:
    """`DataType`: every attribute is a combination of element type and layout, by its own name."""

    def __getattr__(self, name: str) -> str:
        """Return `name`."""
        if name.startswith("__"):
            raise AttributeError(name)
        return name


REGISTRATION: dict[str, object] = {
    "op_info_register": checks.pass_through,
    "TBERegOp": OperatorDescription,
    "DataType": TypeNames(),
}
"""What `mindspore.ops.op_info_register` holds of use to TIK operators."""
