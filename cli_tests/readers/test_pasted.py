"""Matrices as other programs print them.

A case whose program has a version follows what that version printed, in some cases with other numbers; the others are
written by hand, after the program's documentation.
"""

import json
from contextlib import suppress
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from conftest import Run, examples
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from implicitgrad import InputError
from implicitgrad.readers.options import read_value
from implicitgrad.readers.printed.pasted import recognise

sympy = pytest.importorskip("sympy")

Rows = list[list[str]]
SQUARE = [["1", "2"], ["3", "4"]]
DECIMALS = [["1.", "2."], ["3.", "4."]]


def words(text: str) -> list[str]:
    return text.split()


class Case(NamedTuple):
    program: str
    dialect: str
    text: str
    expected: Any


CASES = [
    Case("NumPy 2.4 repr", "a NumPy array", "array([[1., 2.],\n       [3., 4.]])", DECIMALS),
    Case("NumPy 2.4 repr of float32", "a NumPy array", "array([[1., 2.],\n       [3., 4.]], dtype=float32)", DECIMALS),
    Case("NumPy 2.4 print", "nested lists", "[[1. 2.]\n [3. 4.]]", DECIMALS),
    Case(
        "NumPy 2.4 exponents",
        "a NumPy array",
        "array([[-1.5e+00,  2.0e+00],\n       [ 3.0e+00, -4.0e-10]])",
        [["-1.5e+00", "2.0e+00"], ["3.0e+00", "-4.0e-10"]],
    ),
    Case("NumPy 2.4 vector", "a NumPy array", "array([1., 2.])", ["1.", "2."]),
    Case("NumPy 2.4 np.matrix", "a NumPy array", "matrix([[1, 2],\n        [3, 4]])", SQUARE),
    Case("NumPy 2.4 scalars in a list", "a NumPy array", "[np.float64(1.0), np.int64(2)]", ["1.0", "2"]),
    Case("NumPy 2.4 arrays in a list", "a NumPy array", "[array([1., 2.]), array([3., 4.])]", DECIMALS),
    Case("NumPy 2.4 scalar", "a NumPy array", "np.float64(1.5)", ["1.5"]),
    Case(
        "NumPy 2.4 long repr of a vector",
        "a NumPy array",
        "array([0.        , 0.14285714, 0.28571429, 0.42857143, 0.57142857,\n"
        "       0.71428571, 0.85714286, 1.        , 1.14285714, 1.28571429,\n"
        "       1.42857143, 1.57142857, 1.71428571, 1.85714286])",
        words(
            "0. 0.14285714 0.28571429 0.42857143 0.57142857 0.71428571 0.85714286 1. 1.14285714 1.28571429 "
            "1.42857143 1.57142857 1.71428571 1.85714286"
        ),
    ),
    Case(
        "NumPy 2.4 long print of a vector",
        "a matrix in brackets",
        "[0.         0.14285714 0.28571429 0.42857143 0.57142857 0.71428571\n"
        " 0.85714286 1.         1.14285714 1.28571429 1.42857143 1.57142857\n 1.71428571 1.85714286]",
        words(
            "0. 0.14285714 0.28571429 0.42857143 0.57142857 0.71428571 0.85714286 1. 1.14285714 1.28571429 "
            "1.42857143 1.57142857 1.71428571 1.85714286"
        ),
    ),
    Case(
        "NumPy 2.4 savetxt",
        "rows of numbers",
        "# a b\n1.000000000000000000e+00 2.000000000000000000e+00\n3.000000000000000000e+00 4.000000000000000000e+00\n",
        [
            ["1.000000000000000000e+00", "2.000000000000000000e+00"],
            ["3.000000000000000000e+00", "4.000000000000000000e+00"],
        ],
    ),
    Case("NumPy code", "a NumPy array", "A = np.array([[1., 2.], [3., 4.]], np.float64)", DECIMALS),
    Case("NumPy code with keywords", "a NumPy array", "numpy.array([(1, 2), (3, 4)], order='F', ndmin=2)", SQUARE),
    Case(
        "PyTorch 2.13",
        "a PyTorch tensor",
        "tensor([[1., 2.],\n        [3., 4.]], dtype=torch.float64)",
        DECIMALS,
    ),
    Case(
        "PyTorch 2.13 with a gradient",
        "a PyTorch tensor",
        "tensor([[1., 2.],\n        [3., 4.]], grad_fn=<MulBackward0>)",
        DECIMALS,
    ),
    Case(
        "PyTorch 2.13 parameter",
        "a PyTorch tensor",
        "Parameter containing:\ntensor([[ 0.4833, -0.1366],\n        [-0.2188,  0.6467]], dtype=torch.float64, "
        "requires_grad=True)",
        [["0.4833", "-0.1366"], ["-0.2188", "0.6467"]],
    ),
    Case(
        "PyTorch 2.13 long vector",
        "a PyTorch tensor",
        "tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,\n"
        "        1.2857, 1.4286, 1.5714, 1.7143, 1.8571])",
        words("0.0000 0.1429 0.2857 0.4286 0.5714 0.7143 0.8571 1.0000 1.1429 1.2857 1.4286 1.5714 1.7143 1.8571"),
    ),
    Case("PyTorch scalar", "a PyTorch tensor", "tensor(3., device='cuda:0')", ["3."]),
    Case(
        "PyTorch, old, common factor",
        "a PyTorch tensor",
        "tensor(1.00000e-03 *\n       [[ 1.0005,  2.0010],\n        [ 3.0015,  4.0020]], device='cuda:0')",
        [["1.0005e-3", "2.0010e-3"], ["3.0015e-3", "4.0020e-3"]],
    ),
    Case("PyTorch code", "a PyTorch tensor", "torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)", DECIMALS),
    Case(
        "JAX 0.10",
        "a JAX array",
        "Array([[1., 2.],\n       [3., 4.]],      dtype=float32, weak_type=True)",
        DECIMALS,
    ),
    Case("JAX code", "a JAX array", "jnp.array([[1., 2.], [3., 4.]])", DECIMALS),
    Case(
        "TensorFlow",
        "a TensorFlow tensor",
        "<tf.Tensor: shape=(2, 2), dtype=float32, numpy=\narray([[1., 2.],\n       [3., 4.]], dtype=float32)>",
        DECIMALS,
    ),
    Case(
        "TensorFlow print",
        "a TensorFlow tensor",
        "tf.Tensor(\n[[1. 2.]\n [3. 4.]], shape=(2, 2), dtype=float32)",
        DECIMALS,
    ),
    Case("Python tuples", "nested lists", "((1, 2), (3, 4))", SQUARE),
    Case("Python trailing commas", "nested lists", "[\n    [1, 2,],\n    [3, 4,],\n]", SQUARE),
    Case("Python columns of one", "nested lists", "[(1,), (2,)]", [["1"], ["2"]]),
    Case(
        "Python 3.11 fractions",
        "nested lists",
        "[[Fraction(1, 2), Fraction(3, 1)], [Decimal('1.5'), 2]]",
        [["1/2", "3/1"], ["1.5", "2"]],
    ),
    Case("Python, old, long integers", "nested lists", "[[1L, 2L], [3L, 4L]]", SQUARE),
    Case("JSON of several lines", "nested lists", "[\n  [\n    1,\n    2\n  ],\n  [\n    3,\n    4\n  ]\n]", SQUARE),
    Case("JSON vector of several lines", "a matrix in brackets", "[\n  1,\n  2.5\n]", ["1", "2.5"]),
    Case("JSON texts", "nested lists", '[["1/2", "2"], ["3", "4"]]', [["1/2", "2"], ["3", "4"]]),
    Case("IPython", "a NumPy array", "Out[3]: \narray([[1., 2.],\n       [3., 4.]])", DECIMALS),
    Case("SymPy 1.14 str", "a SymPy matrix", "Matrix([[1/2, -2], [3, 4]])", [["1/2", "-2"], ["3", "4"]]),
    Case("SymPy 1.14 print", "a SymPy matrix", "Matrix([\n[1/2, -2],\n[  3,  4]])", [["1/2", "-2"], ["3", "4"]]),
    Case(
        "SymPy 1.14 srepr",
        "a SymPy matrix",
        "MutableDenseMatrix([[Rational(1, 2), Integer(-2)], [Integer(3), Float('1.5', precision=53)]])",
        [["1/2", "-2"], ["3", "1.5"]],
    ),
    Case(
        "SymPy 1.14 pretty",
        "rows in brackets",
        "⎡1/2  -2⎤\n⎢       ⎥\n⎣ 3   4 ⎦",
        [["1/2", "-2"], ["3", "4"]],
    ),
    Case("SymPy 1.14 letters", "a SymPy matrix", "Matrix([[a + 1, 2*a], [a/2, 4]])", [["a + 1", "2*a"], ["a/2", "4"]]),
    Case("Sage", "rows in brackets", "[1 2]\n[3 4]", SQUARE),
    Case("PARI", "rows in brackets", "[1 2]\n\n[3 4]\n", SQUARE),
    Case("MATLAB symbolic", "rows in brackets", "A =\n\n[1/2, 2]\n[  3, 4]\n", [["1/2", "2"], ["3", "4"]]),
    Case("Maxima", "a NumPy array", "matrix([1,2],[3,4])", SQUARE),
    Case("Mathematica", "a list in braces, as in Mathematica", "{{1, 2}, {3, 4}}", SQUARE),
    Case(
        "Mathematica InputForm",
        "a list in braces, as in Mathematica",
        "Out[1]= {{1.5`, 2.`*^-7}, {-3.25`20., 2*^3}, {1/3, Rational[1, 2]}}",
        [["1.5", "2.e-7"], ["-3.25", "2e3"], ["1/3", "1/2"]],
    ),
    Case(
        "C", "a list in braces, as in Mathematica", "double A[2][2] = {{1.0f, 2}, {3, 4}};", [["1.0", "2"], ["3", "4"]]
    ),
    Case("MATLAB", "a matrix in brackets", "A = [1 2; 3 4];", SQUARE),
    Case("MATLAB continued", "a matrix in brackets", "A = [1, ...\n 2\n 3 4];", SQUARE),
    Case("MATLAB comments", "a matrix in brackets", "A = [1 2 % first\n 3 4];", SQUARE),
    Case("Octave 7.3", "a MATLAB or Octave display", "A =\n\n   1   2\n   3   4\n\n", SQUARE),
    Case(
        "Octave 7.3 common factor",
        "a MATLAB or Octave display",
        "D =\n\n  1.0e+03 *\n\n   1.0005   0.0020\n   0.0030        0\n\n",
        [["1.0005e3", "0.0020e3"], ["0.0030e3", "0e3"]],
    ),
    Case(
        "Octave 7.3 blocks",
        "a MATLAB or Octave display",
        "W =\n\n Columns 1 through 13:\n\n"
        "   -61   -34  -248   314    31   406   465   261  -149  -393   340  -380    34\n"
        "   260  -292   405  -366   262  -478    88   167     6  -401  -262  -285   285\n\n"
        " Columns 14 through 17:\n\n   129  -396  -190   461\n   -70   128  -163    18\n\n",
        [
            words("-61 -34 -248 314 31 406 465 261 -149 -393 340 -380 34 129 -396 -190 461"),
            words("260 -292 405 -366 262 -478 88 167 6 -401 -262 -285 285 -70 128 -163 18"),
        ],
    ),
    Case(
        "Octave 7.3 diagonal",
        "a MATLAB or Octave display",
        "x =\n\nDiagonal Matrix\n\n   1.5000        0\n        0   1.5000\n\n",
        [["1.5000", "0"], ["0", "1.5000"]],
    ),
    Case(
        "Octave 7.3 mat2str",
        "a matrix in brackets",
        "ans = [0.33333333333333331 2;3 4]",
        [["0.33333333333333331", "2"], ["3", "4"]],
    ),
    Case(
        "MATLAB with its class",
        "a MATLAB or Octave display",
        "A =\n\n  2×2 int32 matrix\n\n   1   2\n   3   4\n",
        SQUARE,
    ),
    Case("Julia", "a matrix in brackets", "A = [1//2 2//1; 3//1 4//1]", [["1/2", "2/1"], ["3/1", "4/1"]]),
    Case("Julia with a type", "a matrix in brackets", "Rational{Int64}[1//2 2; 3 4]", [["1/2", "2"], ["3", "4"]]),
    Case(
        "Julia display",
        "Julia's display of a matrix",
        "2×2 Matrix{Rational{Int64}}:\n 1//2  2//1\n 3//1  4//1",
        [["1/2", "2/1"], ["3/1", "4/1"]],
    ),
    Case(
        "Julia display of a diagonal",
        "Julia's display of a matrix",
        "julia> D\n2×2 Diagonal{Float64, Vector{Float64}}:\n 1.0   ⋅ \n  ⋅   2.0",
        [["1.0", "0"], ["0", "2.0"]],
    ),
    Case("Julia vector", "Julia's display of a matrix", "2-element Vector{Float64}:\n 1.0\n 2.0", ["1.0", "2.0"]),
    Case(
        "R 4.2",
        "an R matrix",
        "     [,1]   [,2]\n[1,]  1.5  2e+00\n[2,]  3.0 -4e-10\n",
        [["1.5", "2e+00"], ["3.0", "-4e-10"]],
    ),
    Case("R 4.2 names", "a table with names", "   y1 y2\nx1  1  2\nx2  3  4\n", SQUARE),
    Case("R 4.2 names of rows", "an R matrix", "   [,1] [,2]\nx1    1    2\nx2    3    4\n", SQUARE),
    Case("R 4.2 names of columns", "an R matrix", "     y1 y2\n[1,]  1  2\n[2,]  3  4\n", SQUARE),
    Case("R 4.2 data frame", "a table with names", "  y1 y2\n1  1  2\n2  3  4\n", SQUARE),
    Case(
        "R 4.2 texts", "an R matrix", '     [,1]  [,2]\n[1,] "1/2" "3" \n[2,] "2"   "4" \n', [["1/2", "3"], ["2", "4"]]
    ),
    Case(
        "R 4.2 blocks",
        "an R matrix",
        "     [,1] [,2] [,3] [,4] [,5]\n[1,]  1.5  4.5  7.5 10.5 13.5\n[2,]  3.0  6.0  9.0 12.0 15.0\n"
        "     [,6]\n[1,] 16.5\n[2,] 18.0\n",
        [words("1.5 4.5 7.5 10.5 13.5 16.5"), words("3.0 6.0 9.0 12.0 15.0 18.0")],
    ),
    Case(
        "R 4.2 blocks with names",
        "a table with names",
        "  load1 load2 load3 load4\np   1.5   4.5   7.5  10.5\nq   3.0   6.0   9.0  12.0\n"
        "  load5 load6\np  13.5  16.5\nq  15.0  18.0\n",
        [words("1.5 4.5 7.5 10.5 13.5 16.5"), words("3.0 6.0 9.0 12.0 15.0 18.0")],
    ),
    Case(
        "R 4.2 vector",
        "an R matrix",
        " [1] 0.25 0.50 0.75 1.00 1.25 1.50 1.75\n [8] 2.00 2.25 2.50 2.75 3.00 3.25 3.50\n",
        words("0.25 0.50 0.75 1.00 1.25 1.50 1.75 2.00 2.25 2.50 2.75 3.00 3.25 3.50"),
    ),
    Case("R code", "an R vector", "g <- c(1, 2.5)", ["1", "2.5"]),
    Case(
        "pandas 3", "a table with names", "     y1   y2\nx1  1.0  2.0\nx2  3.0  4.0", [["1.0", "2.0"], ["3.0", "4.0"]]
    ),
    Case(
        "pandas 3 without names",
        "a table with names",
        "     0    1\n0  1.0  2.0\n1  3.0  4.0",
        [["1.0", "2.0"], ["3.0", "4.0"]],
    ),
    Case(
        "pandas 3 to_latex",
        "a LaTeX table",
        "\\begin{tabular}{lrr}\n\\toprule\n & y1 & y2 \\\\\n\\midrule\nx1 & 1.000000 & 2.000000 \\\\\n"
        "x2 & 3.000000 & 4.000000 \\\\\n\\bottomrule\n\\end{tabular}\n",
        [["1.000000", "2.000000"], ["3.000000", "4.000000"]],
    ),
    Case(
        "Markdown",
        "a Markdown or org table",
        "|    |   y1 |   y2 |\n|:---|-----:|-----:|\n| x1 |    1 |    2 |\n| x2 |    3 |    4 |",
        SQUARE,
    ),
    Case(
        "Markdown without names of rows",
        "a Markdown or org table",
        "| y1 | y2 |\n|----|----|\n| 1 | 2 |\n| 3 | 4 |\n",
        SQUARE,
    ),
    Case(
        "Markdown with an empty header",
        "a Markdown or org table",
        "|   |   |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n",
        SQUARE,
    ),
    Case(
        "Markdown of a data frame",
        "a Markdown or org table",
        "|    |   0 |   1 |\n|---:|----:|----:|\n|  0 |   1 |   2 |\n|  1 |   3 |   4 |",
        SQUARE,
    ),
    Case(
        "Org",
        "a Markdown or org table",
        "|    |   y1 |   y2 |\n|----+------+------|\n| x1 |    1 |    2 |\n| x2 |    3 |    4 |",
        SQUARE,
    ),
    Case("Org without names", "a Markdown or org table", "| 1 | 2 |\n| 3 | 4 |", SQUARE),
    Case("tabulate grid", "a Markdown or org table", "+---+---+\n| 1 | 2 |\n+---+---+\n| 3 | 4 |\n+---+---+", SQUARE),
    Case(
        "tabulate fancy_grid",
        "a Markdown or org table",
        "╒════╤══════╤══════╕\n│    │   y1 │   y2 │\n╞════╪══════╪══════╡\n│ x1 │    1 │    2 │\n"
        "├────┼──────┼──────┤\n│ x2 │    3 │    4 │\n╘════╧══════╧══════╛",
        SQUARE,
    ),
    Case("LaTeX pmatrix", "a LaTeX matrix", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", SQUARE),
    Case(
        "LaTeX bmatrix",
        "a LaTeX matrix",
        "\\[ A = \\begin{bmatrix} 1 & 2 \\\\[2pt] 3 & 4 \\\\ \\end{bmatrix}. \\]",
        SQUARE,
    ),
    Case("LaTeX vmatrix", "a LaTeX matrix", "$\\begin{vmatrix}1 & 2\\\\ 3 & 4\\end{vmatrix}$", SQUARE),
    Case("LaTeX matrix", "a LaTeX matrix", "\\left(\\begin{matrix}1 & 2\\\\3 & 4\\end{matrix}\\right)", SQUARE),
    Case(
        "LaTeX array",
        "a LaTeX matrix",
        "\\left[ \\begin{array}{cc|c} 1 & 2 & 5\\\\ \\hline 3 & 4 & 6\\end{array} \\right]",
        [["1", "2", "5"], ["3", "4", "6"]],
    ),
    Case("LaTeX rows", "a LaTeX matrix", "1 & 2 \\\\ 3 & 4", SQUARE),
    Case(
        "LaTeX fractions",
        "a LaTeX matrix",
        "\\begin{pmatrix} \\frac{1}{2} & -\\tfrac12 \\\\ \\dfrac{-3}{4} & 1.5 \\cdot 10^{-3} "
        "\\\\ 2 \\times 10^4 & {-1} \\end{pmatrix}",
        [["1/2", "-1/2"], ["-3/4", "1.5e-3"], ["2e4", "-1"]],
    ),
    Case(
        "LaTeX letters",
        "a LaTeX matrix",
        "\\begin{pmatrix} 2 a & \\frac{a + 1}{b} \\\\ \\sqrt{2} & \\alpha \\end{pmatrix}",
        [["2*a", "(a + 1)/(b)"], ["sqrt(2)", "alpha"]],
    ),
    Case(
        "LaTeX with comments", "a LaTeX matrix", "\\begin{pmatrix}\n1 & 2 \\\\ % first\n3 & 4\n\\end{pmatrix}", SQUARE
    ),
    Case(
        "NumPy 2.4 long print of exponents",
        "a matrix in brackets",
        "[-8.2657640e+08 -7.6597870e-05  1.1788496e+11  3.1160630e+00\n  5.7565700e+12 -5.3206550e+00]",
        ["-8.2657640e+08", "-7.6597870e-05", "1.1788496e+11", "3.1160630e+00", "5.7565700e+12", "-5.3206550e+00"],
    ),
    Case(
        "tabulate presto",
        "a Markdown or org table",
        "    |   y1 |   y2\n----+------+------\n x1 |    1 |    2\n x2 |    3 |    4",
        SQUARE,
    ),
    Case("MATLAB below a comment", "a matrix in brackets", "% A ... B\nA = [1 2; 3 4]; % C ... D\n", SQUARE),
    Case("LaTeX with \\cr", "a LaTeX matrix", "\\begin{pmatrix}1&\\quad2\\cr3&4\\end{pmatrix}", SQUARE),
    Case("Python at a prompt", "a NumPy array", ">>> A\narray([[1., 2.],\n       [3., 4.]])", DECIMALS),
    Case("MATLAB at a prompt", "a MATLAB or Octave display", ">> A\n\nA =\n\n     1     2\n     3     4\n", SQUARE),
    Case(
        "MATLAB at prompts",
        "a MATLAB or Octave display",
        ">> A = [1 2; 3 4]\n\nA =\n\n     1     2\n     3     4\n\n>> ",
        SQUARE,
    ),
    Case("MATLAB as it is typed at a prompt", "a matrix in brackets", ">> A = [1 2\n3 4]", SQUARE),
    Case("R at a prompt", "an R matrix", "> A <- t(B)\n> A\n     [,1] [,2]\n[1,]    1    2\n[2,]    3    4\n", SQUARE),
    Case(
        "Julia at a prompt",
        "Julia's display of a matrix",
        "julia> [1 2; 3 4]\n2×2 Matrix{Int64}:\n 1  2\n 3  4",
        SQUARE,
    ),
    Case(
        "MATLAB blocks with a common factor",
        "a MATLAB or Octave display",
        "A =\r\n\r\n   1.0e+03 *\r\n\r\n  Columns 1 through 2\r\n\r\n    1.0005    0.0020\r\n    0.0030"
        "         0\r\n\r\n"
        "  Column 3\r\n\r\n    4.0000\r\n    5.0000\r\n",
        [["1.0005e3", "0.0020e3", "4.0000e3"], ["0.0030e3", "0e3", "5.0000e3"]],
    ),
    Case("a comment of fewer words than columns", "rows of numbers", "# a\n1 2\n3 4\n", SQUARE),
    Case("R write.table", "a table with names", '"y1" "y2"\n"x1" 1 2\n"x2" 3 4\n', SQUARE),
    Case(
        "Mathematica functions",
        "a list in braces, as in Mathematica",
        "{{Sqrt[2], Pi}, {-Rational[1, 3], x + 1}}",
        [["sqrt(2)", "pi"], ["-1/3", "x + 1"]],
    ),
    Case("JavaScript", "nested lists", "const A = [[1, 2], [3, 4]],", SQUARE),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.program)
def test_what_a_program_prints_is_read(case: Case) -> None:
    assert read_value(case.text, "-A", is_matrix=False).value == case.expected
    found = recognise(case.text, "-")
    assert found is not None
    assert (found.dialect, found.value.value) == (case.dialect, case.expected)


REFUSED = {
    "MATLAB sparse": (
        "A =\n\n   (1,1)        4\n   (2,1)        2\n",
        "-A:3:1: expected one matrix of numbers, got a sparse matrix. Convert it to a dense one before printing it",
    ),
    "NumPy truncated": (
        "array([[0., 1., 2., ..., 7., 8., 9.],\n       ...,\n       [0., 1., 2., ..., 7., 8., 9.]], shape=(40, 50))",
        "-A:1:21: expected every entry, got '...' in place of some. "
        "np.set_printoptions(threshold=sys.maxsize) prints all of them",
    ),
    "NumPy truncated print": (
        "[[0. 1. 2. ... 7. 8. 9.]\n ...\n [0. 1. 2. ... 7. 8. 9.]]",
        "-A:1:12: expected every entry, got '...' in place of some. "
        "np.set_printoptions(threshold=sys.maxsize) prints all of them",
    ),
    "NumPy truncated at the end of a line": (
        "[0.00000000000000000e+00 1.00000000000000000e+00 2.00000000000000000e+00 ...\n"
        " 9.97000000000000000e+02 9.98000000000000000e+02 9.99000000000000000e+02]",
        "-A:1:74: expected every entry, got '...' in place of some. "
        "np.set_printoptions(threshold=sys.maxsize) prints all of them",
    ),
    "PyTorch truncated": (
        "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,\n        1.9990e+03])",
        "-A:1:46: expected every entry, got '...' in place of some. "
        "torch.set_printoptions(threshold=10**9) prints all of them",
    ),
    "Julia truncated": (
        "20×20 Matrix{Float64}:\n 1.0  ⋯  2.0\n ⋮    ⋱  ⋮\n 3.0  ⋯  4.0",
        "-A:2:7: expected every entry, got '⋯' in place of some. "
        'show(stdout, "text/plain", A) of a wider terminal, or print(A), prints all of them',
    ),
    "R truncated": (
        '     [,1] [,2]\n[1,]  1.5  4.5\n [ reached getOption("max.print") -- omitted 1 row ]\n',
        "-A:3:38: expected every entry, got 'omitted' in place of some. options(max.print = 1e6) prints all of them",
    ),
    "LaTeX dots": (
        "\\begin{pmatrix}1&\\cdots&2\\end{pmatrix}",
        "-A:1:18: expected every entry, got '\\cdots' in place of some. Print all of them",
    ),
    "continued without brackets": (
        "1 2 ...\n3 4",
        "-A:1:5: expected every entry, got '...' in place of some. Print all of them",
    ),
    "not continued at the end of a line": (
        "[1 2 ... 3]",
        "-A:1:6: expected every entry, got '...' in place of some. "
        "np.set_printoptions(threshold=sys.maxsize) prints all of them",
    ),
    "rounded away": (
        "B =\n\n   0.5000        0\n   1.0000   0.0000\n",
        "-A:4:13: expected a number, got '0.0000', which is rounded: 0 itself is displayed as 0. "
        "mat2str(A, 17) prints all digits",
    ),
    "two common factors": (
        "A =\n\n   1.0e+03 *\n\n   1   2\n\n   1.0e+02 *\n\n   3   4\n",
        "-A:7:4: expected the common factor 1.0e+03 again, got '1.0e+02'",
    ),
    "a factor that is no power of ten": (
        "A =\n\n   2 *\n\n   1   2\n",
        "-A:3:4: expected a power of ten as common factor, got '2'",
    ),
    "a block is missing": (
        "W =\n\n Columns 14 through 15:\n\n   1   2\n",
        "-A:3:1: expected column 1, got column 14: a part of the print is missing",
    ),
    "a block of R is missing": (
        "     [,3] [,4]\n[1,]  1.5  4.5\n",
        "-A:1:6: expected column 1, got column 3: a part of the print is missing",
    ),
    "a row of R is missing": (
        "     [,1] [,2]\n[2,]  1.5  4.5\n",
        "-A:2:1: expected row 1, got row 2: a part of the print is missing",
    ),
    "a line of R's vector is missing": (
        " [1] 1 2 3\n[7] 4\n",
        "-A:2:1: expected entry 4, got entry 7: a part of the print is missing",
    ),
    "complex": (
        "array([[1.+2.j, 2.+0.j]])",
        "-A:1:12: expected real numbers, got '2.j', which is imaginary",
    ),
    "complex in Octave": (
        "z =\n\n   1 + 2i   2 + 0i\n",
        "-A:3:8: expected real numbers, got '2i', which is imaginary",
    ),
    "the imaginary unit of SymPy": (
        "Matrix([[I, 1], [1, 2]])",
        "-A:1:10: expected numbers or letters, got the constant 'I'",
    ),
    "e of Mathematica": ("{{1, 2*E}, {1, 2}}", "-A:1:8: expected numbers or letters, got the constant 'E'"),
    "more columns than are there": (
        "Columns 1 through 999999999\n1 2",
        "-A:1:1: expected columns 1 to 999999999 below this line, got 2 cells",
    ),
    "three dimensions": (
        "array([[[0., 1.],\n        [2., 3.]]])",
        "-A:1:9: expected at most two levels of brackets, got three",
    ),
    "masked": (
        "masked_array(\n  data=[[1, --],\n        [3, 4]],\n  mask=[[False,  True],\n        [False, False]],\n"
        "  fill_value=999999)",
        "-A:1:1: expected one matrix of numbers, got a masked array. A masked entry has no value; fill it first",
    ),
    "sparse": (
        "tensor(indices=tensor([[0, 1],\n                       [0, 1]]),\n       values=tensor([1., 2.]),\n"
        "       size=(2, 2), nnz=2, layout=torch.sparse_coo)",
        "-A:1:8: expected one matrix of numbers, got a sparse matrix. Convert it to a dense one before printing it",
    ),
    "R code of columns": (
        "structure(c(1, 3, 2, 4), dim = c(2L, 2L))",
        "-A:1:1: expected one matrix of numbers, got R code, whose numbers go down the columns. Print the matrix",
    ),
    "a Series": (
        "0    1.0\n1    2.0\ndtype: float64",
        "-A:3:1: expected one matrix of numbers, got a pandas Series. Print its .to_list()",
    ),
    "drawn fractions": (
        "⎡a + 1  2⋅a⎤\n⎢          ⎥\n⎢  a       ⎥\n⎢  ─     4 ⎥\n⎣  2       ⎦",
        "-A:4:4: expected one matrix of numbers, got fractions drawn over several lines. Print str() of it",
    ),
    "a drawn fraction": (
        "⎡37⎤\n⎢──⎥\n⎣10⎦",
        "-A:2:2: expected one matrix of numbers, got fractions drawn over several lines. Print str() of it",
    ),
    "a call": (
        "np.linalg.inv(np.array([[1, 2], [3, 4]]))",
        "-A:1:1: expected a matrix, got the call 'np.linalg.inv(…)'. "
        "Nothing is computed; expected one matrix as it is printed",
    ),
    "a method": (
        "np.array([[1, 2], [3, 4]]).T",
        "-A:1:27: expected the end after the last ], got '.T'. "
        "Nothing is computed; expected one matrix as it is printed",
    ),
    "a multiple": (
        "2*np.array([[1, 2], [3, 4]])",
        "-A:1:1: expected brackets around all or none, got '2*' outside. "
        "Nothing is computed; expected one matrix as it is printed",
    ),
    "two matrices": (
        "A = [1 2; 3 4]; g = [1 1];",
        "-A:1:15: expected the end after the last ], got ';'. "
        "Give each matrix by an option of its own, -A, -B or -g",
    ),
    "another shape than Julia says": (
        "2×2 Matrix{Int64}:\n 1  2\n",
        "-A:1:1: expected 2×2 entries, as is stated here, got 1×2",
    ),
    "another number of entries than Julia says": (
        "3-element Vector{Int64}:\n 1\n 2\n",
        "-A:1:1: expected 3 entries, as is stated here, got 2",
    ),
    "another shape than NumPy says": (
        "array([[1., 2.], [3., 4.]], shape=(3, 2))",
        "-A:1:29: expected 3×2 entries, as is stated here, got 2×2",
    ),
    "integers that are none": (
        "np.array([[1.5, 2]], dtype=int)",
        "-A:1:28: expected integers for int, got '1.5', which it would cut",
    ),
    "Mathematica truncated": (
        "{1, <<98>>, 100}",
        "-A:1:5: expected every entry, got '<<98>>' in place of some. InputForm prints all of them",
    ),
    "the name of a transpose": (
        "A^T = \\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
        "-A:1:1: expected a matrix alone, got 'A^T =' beside it. "
        "Nothing is computed; expected one matrix as it is printed",
    ),
    "a transpose": (
        "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}^T",
        "-A:1:37: expected a matrix alone, got '^T' beside it. "
        "Nothing is computed; expected one matrix as it is printed",
    ),
    "a factor": (
        "\\frac{1}{2}\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
        "-A:1:1: expected a matrix alone, got '\\frac{1}{2}' beside it. "
        "Nothing is computed; expected one matrix as it is printed",
    ),
    "two environments": (
        "\\begin{pmatrix}1&2\\end{pmatrix}\\begin{pmatrix}3&4\\end{pmatrix}",
        "-A:1:32: expected one matrix, got another",
    ),
    "braces that are not closed": (
        "{{1, 2}, {3, 4}",
        "-A:1:1: expected a } at the end, got a { that is not closed",
    ),
    "numbers above a line": (
        "| 1 | 2 |\n|---|---|\n| 3 | 4 |",
        "-A:1:3: expected names above the line, got numbers, which may be names or a row of the matrix. "
        "Leave out the line, or give the columns names",
    ),
    "decimal commas in a table": (
        "| 1,5 | 2,5 |",
        "-A:1:3: the first row holds neither numbers nor names: expected a number or a name, got '1,5'\n"
        "-A:1:9: the first row holds neither numbers nor names: expected a number or a name, got '2,5'",
    ),
    "rows or one row": (
        "[1, 2,\n 3, 4]",
        "-A:1:1: expected to be told whether this is one row on several lines, or several rows. "
        "Write it on one line, or a semicolon after each row",
    ),
    "rows or NumPy's lines": (
        f"[{'0.123456789 ' * 6}\n {'0.123456789 ' * 6}]",
        "-A:1:1: expected to be told whether this is one row on several lines, or several rows. "
        "Write it on one line, or a semicolon after each row",
    ),
    "a gradient in the table": (
        "      y1 y2\nx1     1  2\ndL/dy  1  1\n",
        "-A: expected a matrix alone, got a table with a gradient. "
        "Give a table whose rows have names as the SYSTEM: its row dL/dy is a gradient",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_show_one_whole_matrix_is_refused_with_the_reason(name: str) -> None:
    text, expected = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read_value(text, "-A", is_matrix=True)
    assert str(caught.value) == expected


def last_number(case: Case) -> int:
    """Return where the last entry of a matrix stands in the text; -1 if it is written otherwise."""
    number = case.expected[-1][-1]
    return case.text.rfind(number.rpartition("e")[0] or number)


PLACED = [case for case in CASES if isinstance(case.expected[0], list) and last_number(case) >= 0]


@pytest.mark.parametrize("case", PLACED, ids=lambda case: case.program)
def test_a_bad_entry_is_placed_where_it_stands(case: Case) -> None:
    """Replace the beginning of the last entry by a sign that no dialect reads."""
    offset = last_number(case)
    text = case.text[:offset] + "¿" + case.text[offset + 1 :]
    value = read_value(text, "-A", is_matrix=True)
    assert "¿" in value.value[-1][-1]
    line, column = value.locate((len(value.value) - 1, len(value.value[-1]) - 1))
    assert line == text.count("\n", 0, offset) + 1
    before = text.split("\n")[line - 1][column - 1 :].partition("¿")[0]
    assert "¿" in text.split("\n")[line - 1][column - 1 :]
    assert not set(before) & set(",&|; ")


@pytest.mark.parametrize("text", ["2-element Vector{Float64}:\n 1.0\n 2.0", "Matrix([1.0, 2.0])"])
def test_a_vector_that_is_a_column_elsewhere_is_one_as_a_matrix(text: str) -> None:
    column = read_value(text, "-A", is_matrix=True)
    assert column.value == [["1.0"], ["2.0"]]
    assert read_value(text, "-g", is_matrix=False).value == ["1.0", "2.0"]
    assert column.locate((1, 0)) == read_value(text, "-g", is_matrix=False).locate((1,))


@pytest.mark.parametrize("text", ["a b\n3 1 2\n4 1 2", "a b\n1 2", "1 2\n0 1 2\n1 3 4"])
def test_no_column_of_numbers_is_taken_for_names_unless_it_counts(text: str) -> None:
    assert [len(row) for row in read_value(text, "-A", is_matrix=True).value] == [
        len(line.split()) for line in text.split("\n")
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("2/\\frac{1}{2}", "2/(1/2)"),
        ("\\frac{1}{2}^2", "(1/2) ^2"),
        ("\\frac{1}{2} a", "1/2*a"),
        ("1/2 \\cdot 10^{-3}", "1/2 * 1e-3"),
        ("- \\frac{1}{2}", "-1/2"),
    ],
)
def test_a_fraction_of_latex_keeps_its_value_in_an_expression(entry: str, expected: str) -> None:
    words = read_value(f"\\begin{{pmatrix}}{entry} & 1\\end{{pmatrix}}", "-A", is_matrix=True).value[0][0].split()
    assert "".join(words) == expected.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "\\begin{pmatrix}3\\frac{1}{2} & 1\\end{pmatrix}", "\\begin{pmatrix}a\\frac12 & 1\\end{pmatrix}",
        "{{2/Rational[1, 2], 1}}", "Matrix([[2/Rational(1, 2), 1]])", "[2/1//2]", "[[Fraction(1, 2)**2, 1]]",
        "[[2**Fraction(1, 2), 1]]", "5 % 2", "a # b", "Sqrt[2]", "Transpose[{{1, 2}, {3, 4}}]", "x = 2", "A = 2*y",
        "[[True, 1]]", "[[None, 1]]", "[[nan, 1]]", "\\begin{pmatrix}1{,}5 & 2\\end{pmatrix}",
        "| 1 000 | 2 |\n| 3 | 4 |",
    ],
)  # fmt: skip
def test_what_would_be_another_number_is_refused(run: Run, text: str) -> None:
    result = run("solve", "-A", text)
    assert (result.returncode, result.stdout) == (2, ""), text


@pytest.mark.parametrize("name", ["x2L", "x2f", "x2f3"])
def test_a_letter_keeps_its_name(name: str) -> None:
    for text in (f"[[{name}, 1], [2, 3]]", f"{{{{{name}, 1}}, {{2, 3}}}}", f"A = [{name} 1; 2 3];"):
        assert read_value(text, "-A", is_matrix=True).value == [[name, "1"], ["2", "3"]]


FLOATS = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 12)),
    elements=st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-12),
)


@examples(100)
@given(FLOATS, st.sampled_from([repr, str]), st.booleans())
def test_what_numpy_prints_with_all_digits_is_read_back(A: np.ndarray, printed: object, is_float32: bool) -> None:
    A = A.astype(np.float32) if is_float32 else A
    with np.printoptions(floatmode="unique"):
        text = printed(A)
    rows = read_value(text, "-A", is_matrix=True).value
    assert np.array_equal(np.array([[type(A[0, 0])(entry) for entry in row] for row in rows]), A)


@examples(100)
@given(FLOATS)
def test_what_numpy_rounds_is_read_as_it_is_printed(A: np.ndarray) -> None:
    assert np.allclose(np.array(read_value(str(A), "-A", is_matrix=True).value, dtype=float), A, rtol=1e-7, atol=1e-7)


RATIONALS = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(st.fractions(max_denominator=50), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0], max_size=shape[0],
    )
)  # fmt: skip
PRINTERS = {
    "str": str,
    "repr": repr,
    "srepr": sympy.srepr,
    "latex": sympy.latex,
    "latex array": lambda M: sympy.latex(M, mat_str="array", mat_delim="("),
    "mathematica": sympy.mathematica_code,
    "octave": sympy.octave_code,
    "julia": sympy.julia_code,
    "pretty": sympy.pretty,
    "ascii": lambda M: sympy.pretty(M, use_unicode=False),
}


@examples(100)
@given(RATIONALS, st.sampled_from(list(PRINTERS)))
def test_what_sympy_prints_is_read_back(rows: list[list[Fraction]], printer: str) -> None:
    is_drawn = any(
        entry.denominator > 9 or (entry.denominator > 1 and abs(entry.numerator) > 9) for row in rows for entry in row
    )
    assume(printer not in ("pretty", "ascii") or not is_drawn)  # which are refused
    matrix = sympy.Matrix([[sympy.Rational(entry.numerator, entry.denominator) for entry in row] for row in rows])
    found = read_value(PRINTERS[printer](matrix), "-A", is_matrix=True).value
    flat = [Fraction(entry) for row in found for entry in row]
    assert flat == [entry for row in rows for entry in row]
    if printer != "julia" or len(rows[0]) > 1:  # Julia's code of one column is a vector
        assert [len(row) for row in found] == [len(row) for row in rows]


PIECES = [
    *"[](){}|&\\,;.#%*=:/'\"`-+12e \n⎡⎤│⋯×",
    "array(", "tensor(", "Matrix(", "np.", "dtype=", "\\begin{pmatrix}", "\\end{pmatrix}", "\\\\", "\\frac", "[,1]",
    "[1,]", "A =\n", "Columns 1 through 2", "2×2 Matrix{Int64}:\n", "...", "|---|", "1.0e+03 *\n", "c(",
    "x1 ", "Rational(",
]  # fmt: skip


@examples(500)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join).filter(lambda text: text not in "-@"))
@example("#1:99999999999 \n")
@example("\\\n1")
def test_no_text_gives_anything_but_a_value_or_an_input_error(text: str) -> None:
    for read in (lambda: read_value(text or " ", "-A", is_matrix=True), lambda: recognise(text, "-")):
        with suppress(InputError):
            read()


def test_each_option_takes_what_is_pasted(run: Run) -> None:
    result = run(
        "check", "-A", "array([[1., 2.],\n       [3., 4.]])", "-B", "{{1, 0}, {0, 1}}", "-g", "tensor([1., 1.])",
        "--dydx", "\\begin{pmatrix}-2 & 1\\\\ \\tfrac32 & -\\frac{1}{2}\\end{pmatrix}", "--dldx", "@claim.txt",
        files={"claim.txt": "[np.float64(-0.5), np.float64(0.5)]\n"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("array([[1., 2.],\n       [3., 4.]])\n", "a NumPy array"),
        ("[[1, 2], [3, 4]]\n", "nested lists"),
        ("1 2\n3 4\n", "rows of numbers"),
        ("1,2\n3,4\n", "rows of numbers"),
        ("2×2 Matrix{Int64}:\n 1  2\n 3  4\n", "Julia's display of a matrix"),
        ("Parameter containing:\ntensor([[1., 2.],\n        [3., 4.]], requires_grad=True)\n", "a PyTorch tensor"),
        ("A =\n\n   1   2\n   3   4\n\n", "a MATLAB or Octave display"),
        ("| 1 | 2 |\n| 3 | 4 |\n", "a Markdown or org table"),
    ],
)
@pytest.mark.parametrize("command", [["solve", "-", "--only", "dL_dx"], ["check", "-", "--dldx", "-1/2 1/2"]], ids=str)
def test_standard_input_says_what_it_is_taken_for(run: Run, text: str, dialect: str, command: list[str]) -> None:
    result = run(*command, "-g", "1 1", "--plain", stdin=text)
    assert result.stderr == f"implicitgrad: -: read as {dialect}\n"
    assert result.returncode == 0, result.stdout


def test_a_pasted_table_keeps_its_names_and_its_gradient(run: Run) -> None:
    text = "       bread  cake\nflour      1     2\nsugar      3     4\ndL/dy      1     1\n"
    result = run("solve", "-", stdin=text)
    assert result.stderr == "implicitgrad: -: read as a table with names\n"
    assert result.stdout == (
        "-   x = A·y   2 equations, 2 unknowns\n"
        "determined: rank 2 of 2, condition 15, exact\n"
        "\n"
        "  ∂y/∂x   flour   sugar\n"
        " ──────────────────────\n"
        "  bread      -2       1\n"
        "  cake      3/2    -1/2\n"
        "\n"
        "  ∂L/∂x    -1/2     1/2\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,5;2,5\n3,5;4,5\n", "expected a mapping with the key A, got '1,5;2,5 3,5;4,5'. For CSV give the file a "
         ".csv name, or --delimiter"),
        ("hello\n", "expected a mapping with the key A, got 'hello'. For CSV give the file a .csv name, or "
         "--delimiter"),
        ("a b\nc d\n", "expected a mapping with the key A, got 'a b c d'. For CSV give the file a .csv name, or "
         "--delimiter"),
    ],
)  # fmt: skip
def test_standard_input_that_is_nothing_known_is_refused_as_yaml(run: Run, text: str, message: str) -> None:
    result = run("solve", "-", stdin=text)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"implicitgrad: -:1:1: {message}\n")


def test_a_mistake_in_yaml_stays_one_of_yaml(run: Run) -> None:
    for text in (
        '{"A": [[1, 2], [3, 4]]',
        "A: [[1, 2], [3 4]]\n",
        "B: [[1]]\n",
        "a: [[1, 2], [3, 4]]\n",
        'equations: "x = | y |"\n',
        "- A: [[1, 2]]\n",
    ):
        result = run("solve", "-", stdin=text)
        assert result.returncode == 2
        assert "read as" not in result.stderr
        assert result.stderr.startswith("implicitgrad: -:")


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("A =\n\n    0.3333    0.6667\n    0.6667    1.3333\n", "a MATLAB or Octave display"),
        ("array([[0.33333333, 0.66666667], [0.66666667, 1.33333333]])", "a NumPy array"),
        ("tensor([[0.3333, 0.6667], [0.6667, 1.3333]])", "a PyTorch tensor"),
        ("array([[0.5, 0.25], [0.31, 0.15]])", ""),
        ("tensor([[0.3333, 0.6667], [0.6667, -1.3333]])", ""),
        ("[[0.3333, 0.6667], [0.6667, 1.3333]]", ""),
    ],
)
def test_a_display_whose_rounding_may_hide_a_lower_rank_is_warned_of(run: Run, text: str, display: str) -> None:
    record = json.loads(run("solve", "-A", text, "-f", "json").stdout)
    found = [one["message"] for one in record["warnings"] if one["code"] == "rounded-display"]
    assert [message.partition(",")[0] for message in found] == [f"A is read as {display}"] * bool(display)


def test_a_gradient_may_be_pasted_as_a_column(run: Run) -> None:
    for column in ("1; 2", "g =\n\n     1\n     2\n", "[[1], [2]]"):
        record = json.loads(run("solve", "-A", "1 2; 3 4", "-g", column, "-f", "json").stdout)
        assert record["exact"]["dL_dx"] == ["1", "0"]
    record = json.loads(run("solve", "-A", "2", "-g", "1; 3", "-f", "json").stdout)
    assert record["exact"]["dL_dx"] == [["1/2"], ["3/2"]]
    one = run("solve", "-", "-f", "json", "--arithmetic", "float", stdin='{"A": [[2]], "dL_dy": [[1]]}')
    assert json.loads(one.stdout)["dL_dx"] == [[0.5]]  # a row for each loss, of which there is one
