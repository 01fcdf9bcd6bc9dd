"""What stands for the code of a network that the zoo does not have."""

from __future__ import annotations

import inspect
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from weakref import WeakKeyDictionary

from sakd.networks.outside.libraries import SOURCES, imported, named_function
from sakd.networks.outside.names import is_outside, parse_name

_HASHES: WeakKeyDictionary[ModuleType, dict[str, str]] = WeakKeyDictionary()
"""By module, as it was imported, and function."""


def code_of(name: str) -> str | None:
    """A text that changes with the code of the network called ``name``; None for the zoo's.

    For a model of a known library that is the library's version, for a user's own a hash of
    `source_files`, as they were when it was first asked for: a file that is edited during a run is
    not what runs.

    Raises:
        UserError: there is no such function.
    """
    if not is_outside(name):
        return None
    parsed = parse_name(name)
    package = parsed.source.partition(".")[0]
    if package in SOURCES:
        return f"{package} {version(package).partition('+')[0]}"
    hashes = _HASHES.setdefault(imported(parsed.source), {})
    if parsed.item not in hashes:
        content = b"".join(file.read_bytes() for file in source_files(name))
        hashes[parsed.item] = sha256(content).hexdigest()
    return f"sha256 {hashes[parsed.item]}"


def source_files(name: str) -> tuple[Path, ...]:
    """The files with the code of a user's own network; none for those of the zoo and libraries.

    They are the file of the module that ``name`` says, and that of the function where it comes
    from another, be it decorated or a partial; what these import in turn is not looked for.

    Raises:
        UserError: there is no such function.
    """
    if not is_outside(name):
        return ()
    parsed = parse_name(name)
    if parsed.source.partition(".")[0] in SOURCES:
        return ()
    function = inspect.unwrap(named_function(parsed.source, parsed.item))
    while isinstance(function, partial):
        function = inspect.unwrap(function.func)
    files = [imported(parsed.source).__file__]
    if inspect.isfunction(function) or inspect.isclass(function):
        files.append(inspect.getsourcefile(function))
    return tuple(Path(file) for file in dict.fromkeys(files) if file is not None)
