"""How long a transfer between GM and a core takes.

A burst is cut into packages, and a package keeps the link busy as long as a full one: that is what
makes short bursts slow. Links are shared by the cores that work at the same time: the L2 link, and
behind it DDR or HBM, which moves what L2 does not hold.
"""

from tilelang.backends.tik.cycles.charges import Scene, round_up
from tilelang.backends.tik.cycles.rates import Rates


def link_bytes(rates: Rates, n_burst: int, burst_bytes: int) -> int:
    """Return the bytes whose time `n_burst` bursts take: whole packages."""
    return n_burst * _packages(rates, burst_bytes) * rates.packages[0][0]


def _packages(rates: Rates, n_bytes: int) -> int:
    """Return into how many packages a burst is cut, the largest first."""
    count = 0
    for size, _ in rates.packages:
        count += n_bytes // size
        n_bytes %= size
    return count + bool(n_bytes)


def transfer_cycles(scene: Scene, path: str, tensor: str, n_burst: int, burst_bytes: int) -> int:
    """Return the cycles of a move of `n_burst` bursts along `path` ("gm_l1") from or to `tensor`.

    `burst_bytes` are those of one burst.
    """
    rates = scene.rates
    n_link = link_bytes(rates, n_burst, burst_bytes)
    per_byte = _shared_cycles_per_byte(scene, path, scene.misses.get(tensor, 1.0))
    curve = rates.curves.get(path)
    if curve is not None:
        return round_up(max(curve(n_link), n_link * per_byte))
    startup = _startup(rates, path, n_burst * burst_bytes)
    alone = _alone(rates, path)
    return round_up(startup + n_link * max(per_byte, 1 / alone))


def _startup(rates: Rates, path: str, n_bytes: int) -> float:
    if f"startup.{path}" in rates.numbers:
        return rates[f"startup.{path}"]
    below = rates.get("startup.dma_below_bytes", float("inf"))
    return rates.get("startup.dma", 0.0) if n_bytes < below else 0.0


def _alone(rates: Rates, path: str) -> float:
    """Return bytes a cycle of one core that works alone, as far as its own link goes."""
    own = rates.get(f"path.{path}", 0.0)
    if own:
        return own
    return rates["path.l2_read" if path.startswith("gm_") else "path.l2_write"]


def _shared_cycles_per_byte(scene: Scene, path: str, miss: float) -> float:
    """Return the cycles a byte takes a core while `n_active` of them move: L2's, or memory's."""
    rates, n_active = scene.rates, scene.n_active
    chip_l2 = rates.chip_l2
    together = rates.get(f"path.{path}_all_cores", 0.0)
    if together:
        chip_l2 = min(chip_l2, together * rates.machine.n_cores)
    return max(n_active / chip_l2, miss * n_active / rates.chip_memory)
