"""LLVM assembly to machine code, by llvmlite, and a store of what has been compiled.

Compiling takes well under a second, once for each version of the text, of LLVM and of the processor; the object code is kept in a
folder of the user's (``STOCKPILE_CACHE``, or the system's usual place for such files), and whatever is wrong with a file there, or
with the folder, only means compiling again.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = "STOCKPILE_CACHE"
SUFFIX = ".object"


class Library:
    """Compiled functions; each takes addresses and whole numbers, and gives nothing back.

    Attributes
    ----------
    came_from : str
        ``compiled`` or ``cache``.
    """

    def __init__(self, engine: Any, came_from: str) -> None:
        self._engine = engine
        self.came_from = came_from

    def function(self, name: str, arguments: int) -> Any:
        """Return a function that lets other threads run while it works."""
        kinds = [ctypes.c_int64] * arguments
        return ctypes.CFUNCTYPE(None, *kinds)(self._engine.get_function_address(name))


def available() -> bool:
    """Tell whether llvmlite is installed."""
    return importlib.util.find_spec("llvmlite") is not None


def load(text: str) -> Library:
    """Return the functions of a module of LLVM assembly, from the store or newly compiled."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = _machine(llvm)
    path = _path(text, llvm)
    code = _read(path)
    came_from = "cache"
    if code is None:
        code, came_from = _compiled(text, llvm, machine), "compiled"
        _write(path, code)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Library(engine, came_from)


def is_stored(text: str) -> bool:
    """Tell whether the module has been compiled before, for this processor and this version of LLVM."""
    if not available():
        return False
    import llvmlite.binding as llvm

    return _read(_path(text, llvm)) is not None


def state() -> str:
    """Return in words what of compiled code there is."""
    if not available():
        return "llvmlite is not installed"
    try:
        count = len(list(folder().glob(f"*{SUFFIX}")))
    except OSError:
        count = 0
    return f"{count} compiled in {folder()}" if count else f"nothing compiled yet in {folder()}"


def folder() -> Path:
    """Return where compiled code is kept; a place that there is not, where the user has no home."""
    if given := os.environ.get(FOLDER):
        return Path(given)
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.devnull)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "stockpile"


def _machine(llvm: Any) -> Any:
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)


def _compiled(text: str, llvm: Any, machine: Any) -> bytes:
    module = llvm.parse_assembly(text)
    module.verify()
    # No passes over the text: it is written as it is to run, and some would undo that (by carrying what stands in memory in registers).
    code: bytes = machine.emit_object(module)
    return code


def _path(text: str, llvm: Any) -> Path:
    import llvmlite

    made_of = [text, llvmlite.__version__, str(llvm.llvm_version_info), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
    return folder() / (hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:32] + SUFFIX)


def _read(path: Path) -> bytes | None:
    """Return the object code of a file that starts with its digest; None where there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:32], content[32:]
    return code if code and hashlib.sha256(code).digest() == digest else None


def _write(path: Path, code: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(hashlib.sha256(code).digest() + code)
        part.replace(path)
    except OSError:
        # A folder that cannot be written to costs time at the next start, no more.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
