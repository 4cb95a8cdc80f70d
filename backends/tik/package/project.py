"""The files around the operator: how it is built, installed and tested."""

from tilelang.backends.tik.package.operator import Operator


def cmake_text(operator: Operator) -> str:
    """Return CMakeLists.txt: the prototype and the plugin as the libraries that CANN loads."""
    return f"""cmake_minimum_required(VERSION 3.14)
project({operator.name})

set(CMAKE_CXX_STANDARD 11)
if(NOT DEFINED ASCEND_HOME)
  set(ASCEND_HOME $ENV{{ASCEND_TOOLKIT_HOME}})
endif()
include_directories(${{ASCEND_HOME}}/include op_proto)
link_directories(${{ASCEND_HOME}}/lib64)

add_library(cust_op_proto SHARED op_proto/{operator.name}.cc)
target_link_libraries(cust_op_proto graph)

add_library(cust_tf_parsers SHARED framework/tf_plugin/{operator.name}_plugin.cc)
target_link_libraries(cust_tf_parsers graph register)
"""


def build_text(operator: Operator) -> str:
    """Return build.sh: compiles the libraries and lays everything out below `vendors/`."""
    root = "vendors/${VENDOR:-customize}"
    return f"""#!/usr/bin/env bash
# Builds the operator and installs it below $OUT/vendors; ASCEND_TOOLKIT_HOME names CANN.
# Copy $OUT/vendors into CANN's opp folder, and name the vendor in opp/vendors/config.ini.
set -euo pipefail
cd "$(dirname "$0")"
vendor=${{VENDOR:-customize}}
out=${{OUT:-build/install}}/{root}

cmake -S . -B build
cmake --build build

impl=$out/op_impl/ai_core/tbe
mkdir -p "$impl/${{vendor}}_impl" "$impl/config/{operator.chip}" \\
  "$out/op_proto" "$out/framework/tensorflow"
cp tbe/impl/*.py "$impl/${{vendor}}_impl/"
python3 tbe/ini_to_json.py tbe/op_info_cfg/ai_core/{operator.chip}/*.ini \\
  > "$impl/config/{operator.chip}/aic-{operator.chip}-ops-info.json"
cp build/libcust_op_proto.so "$out/op_proto/"
cp build/libcust_tf_parsers.so "$out/framework/tensorflow/"
"""


INI_TO_JSON = '''"""Prints operator information files as the one JSON object that CANN reads."""

import configparser
import json
import sys


def read(paths):
    """Return {operator: {group: {key: value}}} of the files `paths`."""
    operators = {}
    for path in paths:
        parser = configparser.ConfigParser()
        parser.optionxform = str
        parser.read(path)
        for section in parser.sections():
            groups = operators.setdefault(section, {})
            for name, value in parser.items(section):
                group, key = name.split(".")
                groups.setdefault(group, {})[key] = value
    return operators


if __name__ == "__main__":
    json.dump(read(sys.argv[1:]), sys.stdout, indent=2, sort_keys=True)
'''
"""`tbe/ini_to_json.py`."""


def test_text(operator: Operator) -> str:
    """Return the test: what the operator does in the emulator is what its tile program means."""
    tensors = "\n".join(
        f'    {{"shape": {it.shape}, "dtype": "{it.buffer.dtype}"}},' for it in operator.arguments
    )
    return f'''"""{operator.type_name} in tilelang-tik's emulator: no CANN, no Ascend.

Results are compared with those of the tile program in float64: exactly where nothing rounds, else
within the bound that follows from the dtypes and the sizes. Run it as a script, or with pytest.
"""

import importlib.util
from pathlib import Path

from tilelang.backends.tik.package.testing import check_operator

HERE = Path(__file__).parent
IMPLEMENTATION = HERE.parent / "tbe/impl/{operator.name}.py"
TENSORS = (
{tensors}
)


def build():
    """Call the operator's entry as CANN does."""
    spec = importlib.util.spec_from_file_location("implementation", IMPLEMENTATION)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.{operator.name}(*TENSORS)


def judged():
    """Return what comes of it, as a row of a check."""
    return check_operator(build, HERE / "{operator.name}.tile", "{operator.chip}")


def test_{operator.name}_does_what_the_kernel_means():
    row = judged()
    assert row.verdict == "ok", "\\n".join([row.verdict, *row.explanation])


if __name__ == "__main__":
    row = judged()
    print("{operator.name}:", row.verdict, *row.explanation, sep="\\n")
    raise SystemExit(row.verdict != "ok")
'''


def readme_text(operator: Operator) -> str:
    """Return README.md."""
    rows = "\n".join(
        f"| {it.name} | {it.buffer.dtype} | {list(it.shape)} | {it.format} |"
        for it in operator.arguments
    )
    return f"""# {operator.type_name}

A custom operator for {operator.chip}, made by tilelang-tik for one set of shapes.

| tensor | type | shape | format |
|---|---|---|---|
{rows}

* `bash build.sh` builds and lays out the operator (needs CANN: `ASCEND_TOOLKIT_HOME`).
* `python testcases/test_{operator.name}.py` runs it in the emulator and compares its results with
  what the kernel means (needs tilelang-tik only); `pytest testcases` does so where pytest is.
"""
