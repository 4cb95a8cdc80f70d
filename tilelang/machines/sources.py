"""The documents that the numbers of machines were read from, and how far each is to be trusted.

A source reads `grade LABEL, LABEL: remark`; several are joined by `; `, the one taken first.
"""

GRADES = {
    "meas": "measured on silicon by the cited source",
    "derived": "computed from measured rows",
    "doc": "the vendor's documentation",
    "model": "a constant of a vendor's cost or tiling model, usually fitted to its simulator",
    "cfg": "a value in a configuration file that the vendor's own compiler reads",
    "ds": "a data sheet, white paper or conference paper by the vendor",
    "est": "an estimate, for want of a source",
    "choice": "not a property of hardware: chosen for this project",
}
"""Kinds of evidence, roughly from the strongest to the weakest."""

SOURCES = {
    "INI": "Huawei: platform configuration files of CANN, one .ini a chip",
    "TIK": "Huawei: API documents of TIK (paths, pipes, burst units, alignment)",
    "TIKCOST": "Huawei: TIK's cycle formulas for the cube, load2d and load3d",
    "TILING": "Huawei: the cost model of the public operators' tiling",
    "ADK": "Huawei: asc-devkit, documents and best-practice examples",
    "MSKPP": "Huawei: msKPP, measured tables for the 910B",
    "PTO": "Huawei: pto-isa, cost model headers and kernel notes",
    "PYPTO": "Huawei: pypto, pipe simulator",
    "GE": "Huawei: graph engine, performance parameters of its automatic fusion",
    "HPCA21": "Liao et al., Ascend: a scalable and unified architecture, HPCA 2021",
    "HC31": "Liao et al., DaVinci, Hot Chips 31, 2019",
    "JPDC23": "Tang, Wang: performance modelling on the DaVinci AI core, JPDC 175 (2023) 134-149",
    "EVAL22": "Lu et al., performance evaluation and optimisation of Ascend, 2022",
    "AIBENCH": "Xiao, Wang, CCF THPC 2024, doi 10.1007/s42514-024-00187-x",
    "SGEMM": "SGEMM on the cube, arXiv 2507.23387",
    "CUDA": "NVIDIA: CUDA C++ Programming Guide, technical specifications of capability 9.0",
    "H100": "NVIDIA: H100 Tensor Core GPU Architecture, white paper, 2022",
}
"""Labels, and what they stand for."""
