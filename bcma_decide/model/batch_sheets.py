"""A sheet laid out for many patients: patients along the last axis, and each variance a sum of squares.

The variances of a sheet (`bcma_decide.model.sheets`) are quadratic forms of sums over kinds of patients. With a root of
each covariance taken into the table once, those of a patient are sums of squares of one column of products.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.prediction import logit
from bcma_decide.model.sheets import Sheet

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_LEAST_VARIANCE = 1e-12
"""As in a sheet: a quantile of a mixture needs a positive spread."""


class Compared(Struct, frozen=True):
    """Of a class that is compared with the other one: ``outcome`` and ``option`` in its sheet, (outcomes,) each.

    ``by`` (parameters, columns): by what its derivatives in the trait parameters are multiplied.
    """

    outcome: Places
    option: Places
    by: Array


class BatchValues(Struct, frozen=True):
    """A sheet for N patients.

    Log odds and their variance (K, E, N), and ``by_trait`` the derivatives of the log odds of the class in the trait
    parameters, (outcomes, K, parameters, N).
    """

    logit: Array
    variance: Array
    by_trait: Array


class Squares(Struct, frozen=True):
    """Variances that are sums of so many squares: of which targets, and where in the table the squares stand.

    ``columns`` hold squares, then nodes, then targets.
    """

    targets: Places
    count: int
    columns: slice


class BatchSheet(Struct, frozen=True):
    """A sheet of K nodes of the spread and E targets: its C cells, then every outcome of every product.

    ``table`` (columns, kinds): rates (K, E), of cells over centres and of products at the middle centre; their
    derivatives in the level of the first stage (K, E); ``squares``; where the class is compared, ``by_trait``.
    ``weight`` (K, C). ``single``: cells of one product, and the target that is their next centre; ``several``: cells
    that average products, these targets (cells, members), and their weights (members * K, cells). ``class_cells``:
    place among the cells of the class itself, by outcome.
    """

    table: Array
    targets: int
    squares: tuple[Squares, ...]
    by_trait: slice
    weight: Array
    class_cells: Places
    single: tuple[Places, Places]
    several: tuple[Places, Places, Array]

    @classmethod
    def of(cls, sheet: Sheet, compared: Compared | None) -> BatchSheet:
        """Lay a sheet out; ``compared`` is None where there is no number of the other class."""
        source = _Source.of(sheet)
        rows = [_flat(source.rate), _flat(source.first_level)]
        squares = []
        for targets, found in source.squares():
            used = found[..., (found != 0.0).any(axis=(0, 1, 2))]
            begin = sum(map(len, rows))
            rows.append(_flat(np.moveaxis(used, -1, 1)))
            squares.append(Squares(targets, used.shape[-1], slice(begin, begin + len(rows[-1]))))
        begin = sum(map(len, rows))
        class_cells = np.zeros(0, dtype=np.intp)
        if compared is not None:
            own = source.outcome[:, None], source.option[:, None]
            class_cells = np.nonzero(((own[0] == compared.outcome) & (own[1] == compared.option)).T)[1]
            moved = source.trait[:, compared.outcome, :, compared.option] @ compared.by  # outcomes, kinds, K, columns
            rows.append(_flat(moved.transpose(1, 0, 2, 3)))
        return cls(
            table=np.concatenate(rows),
            targets=len(source.outcome) + len(source.product),
            squares=tuple(squares),
            by_trait=slice(begin, sum(map(len, rows))),
            weight=np.ascontiguousarray(sheet.weight[source.outcome].T),
            class_cells=class_cells,
            single=source.single(),
            several=source.several(),
        )

    def evaluated(self, table: Array, weights: Array, extra: Array) -> BatchValues:
        """For N patients.

        ``weights`` (kinds, N) of what is left of the ``table`` (columns, kinds); ``extra`` (N,), variance of all levels
        together.
        """
        K, E, N = len(self.weight), self.targets, weights.shape[1]
        found = table @ weights
        rate = found[: K * E].reshape(K, E, N)
        variance = np.empty((K, E, N))
        for each in self.squares:
            squares = found[each.columns].reshape(each.count, -1, N)
            variance[:, each.targets] = np.einsum("rcn,rcn->cn", squares, squares).reshape(K, -1, N)
        widened = np.flatnonzero(extra)
        if widened.size:
            first = found[K * E : 2 * K * E, widened].reshape(K, E, -1)
            variance[:, :, widened] += extra[widened] * first * first
        scale = 1.0 / (rate * (1.0 - rate))
        variance *= scale
        variance *= scale
        columns = (self.by_trait.stop - self.by_trait.start) // max(len(self.class_cells) * K, 1)
        by_trait = found[self.by_trait].reshape(len(self.class_cells), K, columns, N)
        if self.class_cells.size:
            by_trait *= scale[:, self.class_cells].swapaxes(0, 1)[:, :, None]
        return BatchValues(logit(rate), np.maximum(variance, _LEAST_VARIANCE, out=variance), by_trait)


class _Source(Struct, frozen=True):
    """A sheet taken apart, kinds first; cells by ``outcome`` and ``option``, then products by outcome.

    ``rate``, ``first_level`` (kinds, K, E); ``trait`` (kinds, O, K, M, Q), ``level`` (kinds, O, K, S, P),
    ``middle_trait`` (kinds, O, K, P, Q), ``middle_level`` (kinds, O, K, P, S) as the sheet has them. ``share`` (C, P).
    """

    sheet: Sheet
    outcome: Places
    option: Places
    share: Array
    product_outcome: Places
    product: Places
    rate: Array
    first_level: Array
    trait: Array
    level: Array
    middle_trait: Array
    middle_level: Array

    @classmethod
    def of(cls, sheet: Sheet) -> _Source:
        kinds, (outcomes, M, P), K = len(sheet.table), sheet.share.shape, sheet.weight.shape[1]
        S, Q = sheet.covariance.shape[2], sheet.parameters.size
        shapes = (M,), (M, Q), (S, P), (P,), (P, Q), (P, S)
        sizes = [outcomes * K * int(np.prod(shape)) for shape in shapes]
        parts = np.split(sheet.table, np.cumsum(sizes)[:-1], axis=1)
        rate, trait, level, middle, middle_trait, middle_level = (
            part.reshape(kinds, outcomes, K, *shape) for part, shape in zip(parts, shapes, strict=True)
        )
        outcome, option = sheet.filled
        share = sheet.share[outcome, option]
        used = [share[outcome == o].max(axis=0, initial=0.0) > 0.0 for o in range(outcomes)]
        product_outcome, product = np.nonzero(used)
        # advanced indices beside a slice stand first: targets, kinds, K
        targets = rate[:, outcome, :, option], middle[:, product_outcome, :, product]
        first = np.einsum("cnkp,cp->cnk", level[:, outcome, :, 0], share)
        first_levels = first, middle_level[:, product_outcome, :, product, 0]
        together, together_first = (np.concatenate(pair).transpose(1, 2, 0) for pair in (targets, first_levels))
        return cls(
            sheet, outcome, option, share, product_outcome, product, together, together_first, trait, level,
            middle_trait, middle_level,
        )  # fmt: skip

    def squares(self) -> Iterator[tuple[Places, Array]]:
        """Targets, and what is squared and summed for each, (kinds, K, targets, squares)."""
        sheet, averages = self.sheet, (self.share > 0.0).sum(axis=1) > 1
        trait_root, level_root = _root(sheet.trait_covariance), _root(sheet.covariance)
        level_sd = np.sqrt(np.diagonal(sheet.covariance, axis1=3, axis2=4))  # O, K, S, P
        for o in range(len(sheet.outcomes)):
            for several in (False, True):
                cells = np.flatnonzero((self.outcome == o) & (averages == several))
                if cells.size:
                    levels = self.level[:, o, :, None] * self.share[cells][:, None]  # kinds, K, cells, S, P
                    if several:
                        moved = np.matmul(levels[..., None, :], level_root[o][:, None])
                        moved = moved.reshape(*levels.shape[:3], -1)
                    else:
                        moved = (levels * level_sd[o][:, None]).sum(axis=-1)
                    traits = self.trait[:, o][:, :, self.option[cells]] @ trait_root
                    yield cells, np.concatenate([traits, moved], axis=-1)
            own = np.flatnonzero(self.product_outcome == o)
            moved = (self.middle_level[:, o] * np.sqrt(sheet.next_own[o]))[:, :, self.product[own]]
            traits = self.middle_trait[:, o][:, :, self.product[own]] @ trait_root
            yield own + len(self.outcome), np.concatenate([traits, moved], axis=-1)

    def single(self) -> tuple[Places, Places]:
        cells = np.flatnonzero((self.share > 0.0).sum(axis=1) == 1)
        products = self.share[cells].argmax(axis=1).tolist()
        targets = [self._target(cell, product) for cell, product in zip(cells.tolist(), products, strict=True)]
        return cells, np.array(targets, dtype=np.intp)

    def several(self) -> tuple[Places, Places, Array]:
        count = (self.share > 0.0).sum(axis=1)
        cells, longest = np.flatnonzero(count > 1), int(count.max())
        targets = np.zeros((len(cells), longest), dtype=np.intp)
        weight = np.zeros((longest, len(self._weight), len(cells)))
        for row, cell in enumerate(cells.tolist()):
            members = np.flatnonzero(self.share[cell]).tolist()
            # those with fewer members repeat the first, with no weight
            targets[row] = self._target(cell, members[0])
            for place, product in enumerate(members):
                targets[row, place] = self._target(cell, product)
                weight[place, :, row] = self.share[cell, product] * self._weight[:, cell]
        return cells, targets, weight.reshape(-1, len(cells))

    @property
    def _weight(self) -> Array:
        return self.sheet.weight[self.outcome].T

    def _target(self, cell: int, product: int) -> int:
        found = (self.product_outcome == self.outcome[cell]) & (self.product == product)
        return int(len(self.outcome) + np.flatnonzero(found)[0])


def _root(covariance: Array) -> Array:
    """A root R of covariances C = R R', (..., n, n); of what is not positive to the last digit none is left."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :])


def _flat(found: Array) -> Array:
    """(kinds, ...) -> (columns, kinds)."""
    return np.ascontiguousarray(found.reshape(len(found), -1).T)
