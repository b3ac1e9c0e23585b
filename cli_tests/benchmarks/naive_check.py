import sys
from pathlib import Path
import numpy as np
import yaml

for path in sorted(Path(sys.argv[1]).iterdir()):
    system = yaml.safe_load(path.read_text())
    A, g = np.array(system["A"], dtype=float), np.array(system["dL_dy"], dtype=float)
    assert np.linalg.matrix_rank(A) == system["expect"]["rank"]
    assert np.allclose(np.linalg.solve(A.T, g), system["expect"]["dL_dx"])
