"""The operator's .ini file, its C++ prototype, and its TensorFlow plugin."""

from collections.abc import Iterator

from tilelang.backends.tik.package.operator import Argument, Operator


def info_text(operator: Operator) -> str:
    """Return the .ini file: `group.key=value`, one dot in each key (tik.md section 8.2)."""
    return "\n".join(_info_lines(operator)) + "\n"


def _info_lines(operator: Operator) -> Iterator[str]:
    yield f"[{operator.type_name}]"
    for kind, arguments in (("input", operator.inputs), ("output", operator.outputs)):
        for number, argument in enumerate(arguments):
            group = f"{kind}{number}"
            yield f"{group}.name={argument.name}"
            yield f"{group}.dtype={argument.info_dtype}"
            yield f"{group}.format={argument.format}"
            yield f"{group}.shape=all"
            yield f"{group}.paramType=required"
    yield f"opFile.value={operator.name}"
    yield f"opInterface.value={operator.name}"
    yield "dynamicShapeSupport.flag=false"
    yield "precision_reduce.flag=false"


def header_text(operator: Operator) -> str:
    """Return the prototype's header."""
    guard = f"GE_OP_{operator.name.upper()}_H"
    lines = [
        f"#ifndef {guard}",
        f"#define {guard}",
        '#include "graph/operator_reg.h"',
        "",
        "namespace ge {",
        f"REG_OP({operator.type_name})",
        *(f"    {_registered('INPUT', argument)}" for argument in operator.inputs),
        *(f"    {_registered('OUTPUT', argument)}" for argument in operator.outputs),
        f"    .OP_END_FACTORY_REG({operator.type_name})",
        "}  // namespace ge",
        "",
        f"#endif  // {guard}",
    ]
    return "\n".join(lines) + "\n"


def _registered(kind: str, argument: Argument) -> str:
    return f".{kind}({argument.name}, TensorType({{{argument.graph_dtype}}}))"


def prototype_text(operator: Operator) -> str:
    """Return the prototype's source: the shapes of the outputs, and a check of the inputs."""
    return "\n".join(_prototype_lines(operator)) + "\n"


def _prototype_lines(operator: Operator) -> Iterator[str]:
    kind = operator.type_name
    yield f'#include "{operator.name}.h"'
    yield "#include <vector>"
    yield ""
    yield "namespace ge {"
    yield f"IMPLEMT_COMMON_INFERFUNC({kind}InferShape)"
    yield "{"
    for argument in operator.outputs:
        shape = ", ".join(map(str, argument.shape))
        desc = f"{argument.name}_desc"
        yield f'    TensorDesc {desc} = op.GetOutputDescByName("{argument.name}");'
        yield f"    {desc}.SetShape(Shape(std::vector<int64_t>{{{shape}}}));"
        yield f"    {desc}.SetDataType({argument.graph_dtype});"
        yield f'    (void)op.UpdateOutputDesc("{argument.name}", {desc});'
    yield "    return GRAPH_SUCCESS;"
    yield "}"
    yield ""
    yield f"IMPLEMT_VERIFIER({kind}, {kind}Verify)"
    yield "{"
    for argument in operator.inputs:
        shape = ", ".join(map(str, argument.shape))
        found = f'op.GetInputDescByName("{argument.name}").GetShape().GetDims()'
        yield f"    if ({found} != std::vector<int64_t>{{{shape}}}) {{"
        yield "        return GRAPH_FAILED;"
        yield "    }"
    yield "    return GRAPH_SUCCESS;"
    yield "}"
    yield ""
    yield f"COMMON_INFER_FUNC_REG({kind}, {kind}InferShape);"
    yield f"VERIFY_FUNC_REG({kind}, {kind}Verify);"
    yield "}  // namespace ge"


def plugin_text(operator: Operator) -> str:
    """Return the TensorFlow plugin: the operator under its own name."""
    kind = operator.type_name
    return f"""#include "register/register.h"

namespace domi {{
REGISTER_CUSTOM_OP("{kind}")
    .FrameworkType(TENSORFLOW)
    .OriginOpType("{kind}")
    .ParseParamsByOperatorFn(AutoMappingByOpFn)
    .ImplyType(ImplyType::TVM);
}}  // namespace domi
"""
