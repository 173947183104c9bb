"""Tests of a square table, and the long run of a chain, in fractions and plain Python: slow, and as the papers say."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations


def bowker(table: list[list[int]]) -> tuple[Fraction, int]:
    """Bowker's statistic and its degrees of freedom, pairs without any unit left out."""
    pairs = [(table[i][j], table[j][i]) for i, j in combinations(range(len(table)), 2)]
    used = [(there, back) for there, back in pairs if there + back]
    return sum((Fraction((a - b) ** 2, a + b) for a, b in used), Fraction(0)), len(used)


def stuart_maxwell(table: list[list[int]]) -> tuple[Fraction, int]:
    """Stuart's statistic with any generalised inverse: d x for a solution of V x = d, and the rank of V."""
    k = len(table)
    d = [Fraction(sum(table[i]) - sum(row[i] for row in table)) for i in range(k)]
    v = [[Fraction(-table[i][j] - table[j][i]) for j in range(k)] for i in range(k)]
    for i in range(k):
        v[i][i] = Fraction(sum(table[i]) + sum(row[i] for row in table) - 2 * table[i][i])
    solution, rank = solve(v, d)
    return sum((a * b for a, b in zip(d, solution, strict=True)), Fraction(0)), rank


def solve(matrix: list[list[Fraction]], right: list[Fraction]) -> tuple[list[Fraction], int]:
    """Gauss and Jordan on a consistent system: one solution (free unknowns 0), and the rank."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    pivots: list[int] = []
    for column in range(len(matrix[0]) if matrix else 0):
        found = next((row for row in range(len(pivots), len(rows)) if rows[row][column]), None)
        if found is None:
            continue
        at = len(pivots)
        rows[at], rows[found] = rows[found], rows[at]
        rows[at] = [value / rows[at][column] for value in rows[at]]
        for row in range(len(rows)):
            if row != at:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[at], strict=True)]
        pivots.append(column)
    assert all(not row[-1] for row in rows[len(pivots) :])
    solution = [Fraction(0)] * (len(matrix[0]) if matrix else 0)
    for row, column in enumerate(pivots):
        solution[column] = rows[row][-1]
    return solution, len(pivots)


def stationary(chain: list[list[Fraction]]) -> list[Fraction] | None:
    """The solution of pi P = pi with sum 1, or None where there is more than one."""
    k = len(chain)
    balance = [[chain[i][j] - (i == j) for i in range(k)] for j in range(k)]
    shares, rank = solve([*balance, [Fraction(1)] * k], [Fraction(0)] * k + [Fraction(1)])
    return shares if rank == k else None


def power(chain: list[list[Fraction]], n: int) -> list[list[Fraction]]:
    k = len(chain)
    result = [[Fraction(i == j) for j in range(k)] for i in range(k)]
    for _ in range(n):
        result = [[sum(result[i][m] * chain[m][j] for m in range(k)) for j in range(k)] for i in range(k)]
    return result
