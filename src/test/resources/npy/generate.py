"""Makes the .npy files beside this script. Needs NumPy; the output is the same each time."""

import pathlib

import numpy as np
from numpy.lib import format as npy

FOLDER = pathlib.Path(__file__).parent
VALUES = [[0, 1, 2], [3, 100, 127]]


def save(name, array, version=(1, 0)):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        npy.write_array(file, array, version=version)


for dtype in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]:
    signed = np.array([[0, -1.5, 2.25], [-0.0, np.inf, np.nan]])
    save(dtype.replace("<", "le-").replace(">", "be-"), signed.astype(dtype))
for dtype in ["|b1", "|i1", "|u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8"]:
    name = dtype.replace("<", "le-").replace(">", "be-").replace("|", "")
    save(name, np.array(VALUES).astype(dtype))
save("float32", np.array(VALUES, "<f4"))
save("version-2", np.array(VALUES, "<f4"), (2, 0))
save("version-3", np.array(VALUES, "<f4"), (3, 0))
save("scalar", np.array(7, "<f4"))
save("vector", np.array([1, 2], "<f4"))
save("empty", np.zeros((0, 3), "<f4"))
save("largest", np.array([2**64 - 1, 2**63, 2**40 + 1], "<u8"))
save("fortran", np.asfortranarray(np.array(VALUES, "<f4")))
save("object", np.array([{"a": 1}], dtype=object))
save("complex", np.array([1j], "<c8"))
save("string", np.array(["ab"]))
save("record", np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f4")]))
