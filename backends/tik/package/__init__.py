"""The files of a TBE custom operator, as CANN's project template has them (tik.md section 8).

| path | what |
|---|---|
| `tbe/impl/<op>.py` | the operator: checks of its arguments, and the TIK program |
| `tbe/op_info_cfg/ai_core/<chip>/<op>.ini` | what the graph engine reads about it |
| `op_proto/<op>.h`, `.cc` | its prototype: inputs, outputs, shapes |
| `framework/tf_plugin/<op>_plugin.cc` | how TensorFlow graphs name it |
| `CMakeLists.txt`, `build.sh`, `README.md` | how it is built and installed |
| `testcases/test_<op>.py`, `<op>.tile` | a run in the emulator, without CANN; what it should give |
"""

from tilelang.backends.tik.package.files import package_files

__all__ = ["package_files"]
