"""The script one would write without implicitgrad: the peer that start-up is measured against."""

import sys

import numpy as np
import yaml

with open(sys.argv[1]) as stream:
    document = yaml.safe_load(stream)
A = np.array(document["A"], dtype=float)
g = np.array(document["dL_dy"], dtype=float)
print("rank", np.linalg.matrix_rank(A))
print("dy_dx", np.linalg.inv(A))
print("dL_dx", np.linalg.solve(A.T, g))
