"""The same answer from sympy, which is exact too."""

import sys

import sympy
import yaml

with open(sys.argv[1]) as stream:
    document = yaml.safe_load(stream)
A = sympy.Matrix(document["A"])
print("dy_dx", A.inv())
print("dL_dx", (A.T.inv() * sympy.Matrix(document["dL_dy"])).T)
