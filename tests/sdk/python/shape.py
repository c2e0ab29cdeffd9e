"""The shape of an answer: against the page, and against an SDK's own model class."""

import inspect
import typing

_TYPES = {"string": str, "boolean": bool, "number": int}


def compare(value, shape, where: str = "answer"):
    """Asserts that a value has each documented field, of its type, and no other."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        documented = {name.removesuffix("?") for name in shape}
        assert not set(value) - documented, f"{where}: not documented: {set(value) - documented}"
        for name, inner in shape.items():
            if name.endswith("?") and name[:-1] not in value:
                continue
            name = name.removesuffix("?")
            assert name in value, f"{where}: {name} is missing"
            compare(value[name], inner, f"{where}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        assert shape or not value, f"{where}: has something"
        for one in value:
            compare(one, shape[0], f"{where}[]")
    else:
        assert type(value) is _TYPES[shape], f"{where}: {value!r} is no {shape}"


def misfits(model: type, value: dict, where: str = "") -> list[str]:
    """The fields that a model class does not know, or knows as of another type."""
    names = {name: attribute for attribute, name in wire_names(model).items()}
    hints = typing.get_type_hints(model.__init__, vars(inspect.getmodule(model)))
    found = []
    for name, inner in value.items():
        if name not in names:
            found.append(f"{where}{name}: unknown to {model.__name__}")
        else:
            found += _misfits_of(hints[names[name]], inner, f"{where}{name}")
    return found


def _misfits_of(hint, value, where: str) -> list[str]:
    if typing.get_origin(hint) is list:
        (item,) = typing.get_args(hint)
        return [misfit for one in value for misfit in _misfits_of(item, one, f"{where}[]")]
    if hint in (str, int, bool, float):
        return [] if type(value) is hint else [f"{where}: {value!r} for {hint.__name__}"]
    return misfits(hint, value, f"{where}.")


def wire_names(model: type) -> dict[str, str]:
    """A model's attributes and what they are called on the wire, by asking it to write itself."""

    class Mark:
        """Stands in for any value, for a model and for a list."""

        def to_map(self):
            return self

        def __iter__(self):
            return iter((self,))

    def written(**attributes):
        return {name: one for name, one in model(**attributes).to_map().items() if one not in (None, [])}

    attributes = [name for name in inspect.signature(model.__init__).parameters if name != "self"]
    wire = {}
    for attribute in attributes:
        (wire[attribute],) = written(**{attribute: Mark()})
    return wire


def at(value, path: str):
    """What stands at `A.B.0.C`; nothing where there is none."""
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def shown(value, path: str) -> bool:
    """Whether there is a value at `A.B[].C`, in one item at least of each list."""
    step, _, rest = path.partition(".")
    name = step.removesuffix("[]")
    if not isinstance(value, dict) or name not in value:
        return False
    inner = value[name]
    if not step.endswith("[]"):
        return not rest or shown(inner, rest)
    return any(not rest or shown(one, rest) for one in inner)


def optional(shape, where: str = "") -> set[str]:
    """The paths of a documented shape that an answer need not have: `?`, and the items of lists."""
    paths = set()
    for name, inner in shape.items():
        path = where + name.removesuffix("?")
        if name.endswith("?"):
            paths.add(path)
        if isinstance(inner, list) and inner:
            path += "[]"
            paths.add(path)
            inner = inner[0]
        if isinstance(inner, dict):
            paths |= optional(inner, path + ".")
    return paths
