"""Reading and writing one vector of elements, wherever they lie.

An access whose elements lie side by side is one instruction, one that does not depend on the lane
is a broadcast, and every other is taken lane by lane: slow, and always right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tilelang.backends.llvm.form import Form
from tilelang.backends.llvm.frame import Frame, Place
from tilelang.backends.llvm.simplify import simplify_condition
from tilelang.backends.llvm.storage import plain
from tilelang.backends.llvm.vectors.casts import from_storage, to_storage
from tilelang.backends.llvm.vectors.masks import (
    depends_on,
    first_lanes,
    is_affine,
    lanes_where,
    masked_load,
    masked_store,
    split_lane,
)
from tilelang.backends.llvm.vectors.values import (
    Lanes,
    Value,
    literal,
    register_type,
    scalar_literal,
)
from tilelang.dtypes import DType
from tilelang.ir import condition as cond
from tilelang.ir import index as ix
from tilelang.ir.condition import Condition
from tilelang.ir.index import Index


@dataclass(frozen=True, slots=True)
class Access:
    """The elements of a buffer that a nest of loops touches, over the nest's variables.

    Where `exists` is false there is none, and a load gives `pad`.
    """

    place: Place
    dtype: DType
    offset: Index
    exists: Condition = cond.TRUE
    pad: float = 0

    @property
    def form(self) -> Form:
        """The form of the buffer."""
        return self.place.form


@dataclass
class Point:
    """One step of a nest: `lanes.n` elements, numbered by the variable `lane`.

    Of a step over the end of an axis only the first `n_active` exist, at least one and not all:
    the others are neither read nor written. There, elements of every access lie side by side.
    """

    frame: Frame
    lanes: Lanes
    replaced: Mapping[str, Index]
    lane: str
    n_active: str | None = None
    _loaded: dict[Access, Value] = field(default_factory=dict[Access, Value])

    def at(self, index: Index) -> Index:
        """Return an index over the nest's variables as one over open loops and the lane."""
        return self.frame.simplified(ix.substitute(index, self.replaced))

    def give(self, access: Access, value: Value) -> None:
        """Say what `access` holds, so that it is not loaded."""
        self._loaded[access] = value

    def load(self, access: Access) -> Value:
        """Return the elements of `access`; the same access is loaded once."""
        if access not in self._loaded:
            self._loaded[access] = self._load(access)
        return self._loaded[access]

    def store(self, access: Access, value: Value) -> None:
        """Write `value` to the elements of `access`, all of which exist."""
        raw, element = to_storage(self.lanes, value, access.form.storage), self._element(access)
        offset = self.at(access.offset)
        split = split_lane(offset, self.lane)
        self._loaded.clear()
        if split and (split[1] == 1 or self.lanes.n == 1):
            address = self._address(access, self._of_lane(offset, 0))
            self._store_vector(access, raw, address)
            return
        for number in range(self.lanes.n):
            address = self._address(access, self._of_lane(offset, number))
            scalar = self.lanes.extract(element, raw, number)
            self.frame.code.do(f"store {element} {scalar}, ptr {address}")

    def active(self) -> str | None:
        """Return the mask of the lanes that exist, None where all do."""
        return None if self.n_active is None else first_lanes(self.lanes, self.n_active)

    def position(self, index: Index) -> str:
        """Return an index over the nest's variables as an i32 vector."""
        split = split_lane(self.at(index), self.lane)
        assert split is not None, "positions are affine"
        base = self.frame.value(split[0])
        scalar = self.frame.code.pure(f"trunc i64 {base} to i32", base)
        steps = ", ".join(f"i32 {split[1] * number}" for number in range(self.lanes.n))
        return self.lanes.op("add", "i32", self.lanes.splat("i32", scalar), f"<{steps}>")

    def _load(self, access: Access) -> Value:
        condition = cond.substitute(access.exists, self.replaced)
        condition = simplify_condition(condition, self.frame.ranges)
        offset = self.at(access.offset)
        if condition == cond.FALSE:
            return literal(self.lanes, access.pad, access.dtype)
        mask = self._mask(access, offset, condition)
        if mask is not None:
            raw = self._raw_masked(access, offset, mask)
        elif condition == cond.TRUE:
            raw = self._raw(access, offset)
        elif depends_on(condition, self.lane):
            return self._load_lanes(access, offset, condition)
        else:
            exists = self.frame.condition(condition)
            return self._guarded(access, offset, exists)
        return from_storage(self.lanes, raw, access.form.storage, access.dtype)

    def _mask(self, access: Access, offset: Index, condition: Condition) -> str | None:
        """Return which lanes of a vector in memory exist, None where they need no mask."""
        split, is_mixed = split_lane(offset, self.lane), depends_on(condition, self.lane)
        if self.n_active is None and not (is_mixed and self.frame.host.avx512):
            return None
        if split is None or split[1] != 1 or not is_affine(condition, self.lane):
            return None
        if access.form.storage is not plain(access.dtype):
            return None
        own, active = lanes_where(self.frame, self.lanes, self.lane, condition), self.active()
        return own if active is None else self.lanes.op("and", "i1", own, active)

    def _raw_masked(self, access: Access, offset: Index, mask: str) -> str:
        address = self._address(access, self._of_lane(offset, 0))
        pad = literal(self.lanes, access.pad, access.dtype).text
        return masked_load(self.lanes, address, mask, self._element(access), pad)

    def _store_vector(self, access: Access, raw: str, address: str) -> None:
        """Write the active lanes of a vector to memory."""
        mask, element, align = self.active(), self._element(access), access.form.storage.n_bytes
        if mask is not None:
            masked_store(self.lanes, raw, address, mask, element)
            return
        kind = self.lanes.type(element)
        self.frame.code.do(f"store {kind} {raw}, ptr {address}, align {align}")

    def _guarded(self, access: Access, offset: Index, exists: str) -> Value:
        """Load where the scalar `exists` holds; elsewhere the start of the buffer, unused."""
        split = split_lane(offset, self.lane)
        if split is None or self._passes_end(access, split[1]):
            return self._load_lanes(access, offset, access.exists)
        base = self.frame.value(split[0])
        safe = self.frame.code.pure(f"select i1 {exists}, i64 {base}, i64 0", exists, base)
        raw = self._raw_at(access, safe, split[1])
        value = from_storage(self.lanes, raw, access.form.storage, access.dtype)
        kind = self.lanes.type(register_type(access.dtype))
        pad = literal(self.lanes, access.pad, access.dtype).text
        text = f"select i1 {exists}, {kind} {value.text}, {kind} {pad}"
        return Value(access.dtype, self.frame.code.pure(text, exists, value.text))

    def _passes_end(self, access: Access, stride: int) -> bool:
        """Return whether a vector from the start of a tensor would end behind it."""
        is_plain = access.form.storage is plain(access.dtype)
        return is_plain and stride * (self.lanes.n - 1) >= max(access.form.n_elements, 1)

    def _load_lanes(self, access: Access, offset: Index, condition: Condition) -> Value:
        """Load lane by lane, each under its own condition; the form is the dtype's own."""
        element, pad = self._element(access), scalar_literal(access.pad, access.dtype)
        scalars: list[str] = []
        for number in range(self.lanes.n):
            own = {**self.replaced, self.lane: ix.constant(number)}
            exists = self.frame.condition(cond.substitute(cond.substitute(condition, own), own))
            base = self._of_lane(offset, number)
            safe = self.frame.code.pure(f"select i1 {exists}, i64 {base}, i64 0", exists, base)
            loaded = self.frame.code.let(f"load {element}, ptr {self._address(access, safe)}")
            text = f"select i1 {exists}, {element} {loaded}, {element} {pad}"
            scalars.append(self.frame.code.pure(text, exists, loaded))
        return Value(access.dtype, self.lanes.join(element, scalars))

    def _raw(self, access: Access, offset: Index) -> str:
        split = split_lane(offset, self.lane)
        if split and (split[1] in (0, 1) or self.lanes.n == 1):
            return self._raw_at(access, self.frame.value(split[0]), split[1])
        element = self._element(access)
        scalars: list[str] = []
        for number in range(self.lanes.n):
            address = self._address(access, self._of_lane(offset, number))
            scalars.append(self.frame.code.let(f"load {element}, ptr {address}"))
        return self.lanes.join(element, scalars)

    def _raw_at(self, access: Access, base: str, stride: int) -> str:
        element, align = self._element(access), access.form.storage.n_bytes
        kind, code = self.lanes.type(element), self.frame.code
        address = self._address(access, base)
        if stride == 1 or self.lanes.n == 1:
            return code.let(f"load {kind}, ptr {address}, align {align}")
        if stride == 0:
            scalar = code.let(f"load {element}, ptr {address}")
            return self.lanes.splat(element, scalar)
        scalars: list[str] = []
        for number in range(self.lanes.n):
            moved = self._address_of(address, element, str(number * stride))
            scalars.append(code.let(f"load {element}, ptr {moved}"))
        return self.lanes.join(element, scalars)

    def _of_lane(self, offset: Index, number: int) -> str:
        """Return the offset of one lane; the constant lane leaves divisions by itself."""
        return self.frame.value(ix.substitute(offset, {self.lane: ix.constant(number)}))

    def _address(self, access: Access, offset: str) -> str:
        return self._address_of(access.place.pointer, self._element(access), offset)

    def _address_of(self, pointer: str, element: str, offset: str) -> str:
        return self.frame.address(pointer, element, offset)

    def _element(self, access: Access) -> str:
        return access.form.storage.llvm
