"""Mutants of a piece of code: each differs from it by one small change, as an error of somebody who writes it would.

After R. A. DeMillo, R. J. Lipton and F. G. Sayward, Hints on test data selection, Computer 11 (1978),
doi:10.1109/C-M.1978.218136.
"""

import ast
import copy

_OPERATORS = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult], ast.FloorDiv: [ast.Div],
    ast.Mod: [ast.FloorDiv], ast.Pow: [ast.Mult], ast.MatMult: [ast.Mult],
    ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd], ast.BitXor: [ast.BitOr],
    ast.And: [ast.Or], ast.Or: [ast.And],
    ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn], ast.NotIn: [ast.In], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
}  # fmt: skip
_NAMES = {"min": "max", "argmin": "argmax", "minimum": "maximum", "floor": "ceil", "sum": "mean", "mean": "sum"}
_NAMES |= {new: old for old, new in _NAMES.items() if old not in ("sum", "mean")}
_MODULES = {"np", "tf", "keras", "ndimage", "filters", "images", "geometry", "metrics", "cv2", "math", "measure"}


def mutants(code):
    """List the mutants of a piece of code.

    Parameters
    ----------
    code : str

    Returns
    -------
    dict of str to str
        Each mutant's source by what was changed, as ``"a + b -> a - b"``; a number is added where the same is changed
        again further on.
    """
    found, original = {}, ast.unparse(ast.parse(code))
    for position, node in enumerate(ast.walk(ast.parse(code))):
        for change in _changes(node, code):
            tree = ast.parse(code)
            old = list(ast.walk(tree))[position]
            before = ast.unparse(old)
            new = change(copy.deepcopy(old))
            source = ast.unparse(ast.fix_missing_locations(_Swap(old, new).visit(tree)))
            if source == original or source in found.values():
                continue
            label = _label(before, ast.unparse(new))
            number = sum(key == label or key.startswith(f"{label} (") for key in found)
            found[f"{label} ({number + 1})" if number else label] = source
    return found


class _Swap(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def _label(before, after):
    """What was changed, on one line; of a long statement, its first line."""
    return " -> ".join(text.split("\n")[0] for text in (before, after))


def _set(**fields):
    def change(node):
        for name, value in fields.items():
            setattr(node, name, value)
        return node

    return change


def _changes(node, code):
    """The changes that a node allows: functions that take it and return another."""
    kind = type(node).__name__
    return list(globals().get(f"_of_{kind.lower()}", lambda *_: ())(node, code))


def _of_binop(node, _):
    return [_set(op=new()) for new in _OPERATORS.get(type(node.op), ())]


_of_boolop = _of_augassign = _of_binop


def _of_compare(node, _):
    for i, op in enumerate(node.ops):
        for new in _OPERATORS.get(type(op), ()):
            yield _set(ops=[*node.ops[:i], new(), *node.ops[i + 1 :]])


def _of_unaryop(_, __):
    return [lambda node: node.operand]


def _of_constant(node, _):
    if isinstance(node.value, bool):
        return [_set(value=not node.value)]
    if isinstance(node.value, (int, float)):
        return [_set(value=node.value + 1), _set(value=node.value - 1)]
    return []


def _of_slice(node, _):
    return [_set(**{end: None}) for end in ("lower", "upper", "step") if getattr(node, end)]


def _of_ifexp(node, _):
    return [_set(body=node.orelse, orelse=node.body)]


def _of_if(node, _):
    return [_set(test=ast.UnaryOp(ast.Not(), node.test))]


def _of_call(node, _):
    is_method = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") not in _MODULES
    if is_method:
        yield lambda node: node.func.value
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield lambda node: node.args[0]
    if len(node.args) >= 2 and not any(isinstance(argument, ast.Starred) for argument in node.args):
        yield _set(args=[node.args[1], node.args[0], *node.args[2:]])
    for i in range(len(node.keywords)):
        yield _set(keywords=node.keywords[:i] + node.keywords[i + 1 :])


def _of_attribute(node, _):
    return [_set(attr=_NAMES[node.attr])] if node.attr in _NAMES else []


def _of_name(node, _):
    return [_set(id=_NAMES[node.id])] if node.id in _NAMES else []


def _of_return(node, code):
    for function in (found for found in ast.walk(ast.parse(code)) if isinstance(found, ast.FunctionDef)):
        if function.lineno <= node.lineno <= function.end_lineno:
            for argument in function.args.args:
                yield _set(value=ast.Name(argument.arg, ast.Load()))
