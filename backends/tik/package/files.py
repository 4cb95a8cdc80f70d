"""All files of the package."""

from collections.abc import Mapping

from tilelang.backends.tik.instructions import InstructionProgram
from tilelang.backends.tik.package.description import (
    header_text,
    info_text,
    plugin_text,
    prototype_text,
)
from tilelang.backends.tik.package.implementation import implementation_text
from tilelang.backends.tik.package.operator import operator_of
from tilelang.backends.tik.package.project import (
    INI_TO_JSON,
    build_text,
    cmake_text,
    readme_text,
    test_text,
)
from tilelang.ir.nodes import Program
from tilelang.machines import Machine


def package_files(
    program: Program, lowered: InstructionProgram, machine: Machine
) -> Mapping[str, str]:
    """Return the texts by path of the operator that `lowered`, made from `program`, is."""
    operator = operator_of(program, lowered, machine.name)
    name = operator.name
    return {
        f"tbe/impl/{name}.py": implementation_text(operator, lowered),
        "tbe/ini_to_json.py": INI_TO_JSON,
        f"tbe/op_info_cfg/ai_core/{operator.chip}/{name}.ini": info_text(operator),
        f"op_proto/{name}.h": header_text(operator),
        f"op_proto/{name}.cc": prototype_text(operator),
        f"framework/tf_plugin/{name}_plugin.cc": plugin_text(operator),
        "CMakeLists.txt": cmake_text(operator),
        "build.sh": build_text(operator),
        f"testcases/test_{name}.py": test_text(operator),
        f"testcases/{name}.tile": f"{program}\n",
        "README.md": readme_text(operator),
    }
