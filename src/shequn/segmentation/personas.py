"""What are the members of a segment like, and who else is like them? The persona (用户画像)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns import Roster
from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, MisalignedError, message
from shequn.segmentation.flows import objects
from shequn.segmentation.traits import labelled_names, trait_of
from shequn.stats import Interval, ShareRatio, share_ratio, wilson
from shequn.stats._checks import counts as checked_counts
from shequn.stats._checks import instance, items_of, level_in_unit, plain_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["Persona", "PersonaRow", "persona"]


def persona(
    roster: Roster,
    mask: ArrayLike,
    /,
    *,
    traits: Iterable[str] | str | None = None,
    name: str = "",
    level: float = 0.95,
) -> Persona:
    """Describe the members of a segment by what they carry more often, or less, than all.

    Parameters
    ----------
    roster : Roster
        The base: all members, and what is known of them.
    mask : array_like of bool, shape (n_members,)
        Who is in the segment: ``assignment.mask("gold")``, `Rule.mask`, `Audience.treated`.
    traits : names of fields of labels and of tags, optional
        By default all of them.
    name : str, optional
        What the segment is called.
    level : float, default 0.95
        Confidence of the intervals, between 0 and 1.

    Returns
    -------
    Persona
        A row for each label of each trait.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used; the roster has no such trait.

    Notes
    -----
    Share = members of the segment with the label / members of the segment of whom the trait is known; base: the same
    over the whole roster, the segment included; lift = share / base. Shares have Wilson's interval, lifts that of
    `shequn.stats.share_ratio`.

    References
    ----------
    Rows C3 and D2 of the domain table.

    Examples
    --------
    >>> roster = Roster.from_columns(
    ...     member=["ann", "bo", "cy", "dee"], fields={"city": ["上海", "上海", "北京", None]}
    ... )
    >>> gold = persona(roster, [True, True, False, False], name="gold")
    >>> [(row.label, row.members, row.share, row.lift) for row in gold.rows()]
    [('上海', 2, 1.0, 1.5), ('北京', 0, 0.0, 0.0)]
    """
    instance("roster", roster, Roster, expected="a Roster")
    inside = plain_array("mask", mask, expected="an array of bool")
    if inside.dtype != np.bool_ and inside.size:
        raise InvalidTypeError(message("mask", "an array of bool", inside.dtype.name))
    if inside.shape != (len(roster),):
        raise MisalignedError(message("mask", f"one entry for each of the {len(roster)} members", inside.shape))
    names = labelled_names(roster) if traits is None else _names(traits)
    segment = np.where(inside.astype(np.bool_), 0, -1).astype(np.int64)
    everybody = np.zeros(len(roster), dtype=np.int64)
    found = {trait: trait_of(roster, trait, argument="traits") for trait in names}
    lengths = np.array([len(trait.labels) for trait in found.values()], dtype=np.int64)
    nothing = np.zeros(0, dtype=np.int64)
    return Persona(
        traits=np.repeat(objects(names), lengths).tolist(),
        labels=[label for trait in found.values() for label in trait.labels],
        counts=np.concatenate([nothing, *(trait.counts(segment, 1)[0] for trait in found.values())]),
        known=np.repeat([trait.sizes(segment, 1)[0] for trait in found.values()], lengths).astype(np.int64),
        base_counts=np.concatenate([nothing, *(trait.counts(everybody, 1)[0] for trait in found.values())]),
        base_known=np.repeat([trait.sizes(everybody, 1)[0] for trait in found.values()], lengths).astype(np.int64),
        tag_names=tuple(name for name, trait in found.items() if trait.is_tags),
        n_members=int(inside.sum()),
        name=name,
        level=level,
    )


def _names(traits: Iterable[str] | str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([traits] if isinstance(traits, str) else items_of("traits", traits, expected="names")))


def _tuple_of(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(values)


def _level(level: float) -> float:
    return level_in_unit(level)


class PersonaRow(NamedTuple):
    """One label of one trait; the names are those of `Persona`.

    Attributes
    ----------
    trait : str
    label : str or int
    members : int
        Members of the segment with the label.
    share, share_lower, share_upper : float
    base : float
    lift, lower, upper : float

    Examples
    --------
    >>> PersonaRow("city", "上海", 30, 0.3, 0.219, 0.396, 0.05, 6.0, 4.68, 7.14).lift
    6.0
    """

    trait: str
    label: Label
    members: int
    share: float
    share_lower: float
    share_upper: float
    base: float
    lift: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, repr=False)
class Persona(Tabular[PersonaRow]):
    """What the members of a segment are like beside all; made by `persona`.

    All columns have a row for each label of each trait.

    Attributes
    ----------
    traits : tuple of str
        Name of the field or of the tags.
    labels : tuple of str or of int
        The label.
    counts, known : ndarray of int64, shape (n_rows,)
        Members of the segment with the label, and of whom the trait is known.
    base_counts, base_known : ndarray of int64, shape (n_rows,)
        The same of the whole roster.
    tag_names : tuple of str
        Which traits are tags, of which a member may carry several.
    n_members : int
        Members of the segment.
    name : str
        What the segment is called.
    level : float
        Confidence of the intervals.

    Examples
    --------
    >>> gold = Persona(
    ...     traits=["city", "city"],
    ...     labels=["上海", "北京"],
    ...     counts=[30, 70],
    ...     known=[100, 100],
    ...     base_counts=[50, 950],
    ...     base_known=[1000, 1000],
    ...     n_members=110,
    ...     name="gold",
    ... )
    >>> print(gold)
    gold: 110 members
    trait  label  members  share   base  lift  lower  upper
    ───────────────────────────────────────────────────────
    city   上海        30  30.0%   5.0%  6.00   4.68   7.14
    city   北京        70  70.0%  95.0%  0.74   0.64   0.82
    """

    traits: tuple[str, ...] = attrs.field(converter=_tuple_of)
    labels: tuple[Label, ...] = attrs.field(converter=_tuple_of)
    counts: IntArray = counts_field()
    known: IntArray = counts_field()
    base_counts: IntArray = counts_field()
    base_known: IntArray = counts_field()
    tag_names: tuple[str, ...] = attrs.field(default=(), converter=_tuple_of)
    n_members: int
    name: str = ""
    level: float = attrs.field(default=0.95, converter=_level)

    _Row: ClassVar[type[Any] | None] = PersonaRow

    def __attrs_post_init__(self) -> None:
        """Check lengths; the ratio refuses a part that is larger than its whole."""
        for name in ("labels", "counts", "known", "base_counts", "base_known"):
            column: Any = getattr(self, name)
            if len(column) != len(self.traits):
                raise MisalignedError(message(name, f"{len(self.traits)} entries, as `traits` has", len(column)))
            if name != "labels":
                checked_counts(name, column)
        self._lift()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.traits)

    def _lift(self) -> ShareRatio:
        return share_ratio(self.counts, self.known, self.base_counts, self.base_known, level=self.level)

    @property
    def share(self) -> FloatArray:
        """Share of the segment with each label; NaN where of nobody is known."""
        return frozen(np.divide(self.counts, self.known, out=np.full(len(self), np.nan), where=self.known > 0))

    @property
    def base(self) -> FloatArray:
        """Share of all with each label; NaN where of nobody is known."""
        return frozen(
            np.divide(self.base_counts, self.base_known, out=np.full(len(self), np.nan), where=self.base_known > 0)
        )

    @property
    def lift(self) -> FloatArray:
        """Share / base; NaN where the one is not known or the other is 0."""
        return self._lift().estimate

    @property
    def lower(self) -> FloatArray:
        """Lower end of the interval of each lift."""
        return self._lift().lower

    @property
    def upper(self) -> FloatArray:
        """Upper end of the interval of each lift."""
        return self._lift().upper

    def share_intervals(self) -> Interval:
        """Return Wilson intervals of the shares, shape (n_rows,) each.

        Examples
        --------
        >>> roster = Roster.from_columns(member=["ann", "bo"], fields={"city": ["上海", "北京"]})
        >>> persona(roster, [True, False]).share_intervals().upper.tolist()[0]
        1.0
        """
        return wilson(self.counts, self.known, level=self.level)

    # ── who else is like them ────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, roster: Roster, /) -> FloatArray:
        r"""Return how much each member of a roster is like the segment, by the traits of this persona.

        Parameters
        ----------
        roster : Roster
            Of these members or of others; it must have the traits.

        Returns
        -------
        ndarray of float64, shape (n_members,)
            Between 0 and 1: 0.5 like anybody, more: more like the segment. NaN where no trait is known.

        Raises
        ------
        InvalidTypeError, UnknownLabelError
            It is no roster, or one without a trait of this persona.

        Notes
        -----
        Of a label with n members of the segment known, the lift drawn towards 1 by one member more who is like anybody
        is :math:`\ell = (n \cdot \mathrm{lift} + 1) / (n + 1)`, never 0. A trait of a member gives the mean of
        :math:`\log \ell` over the labels that the member carries; :math:`L` is the exponential of the mean over the
        traits that give one, and the fit is :math:`L / (1 + L)`. A trait gives nothing where it is not known of the
        member, where the member carries no tag, and where nobody of the base had the label.

        It is an average, and no probability: more traits that agree make it no more certain. Of the members that the
        persona was made from, it looks a little too good.

        Examples
        --------
        >>> roster = Roster.from_columns(member=["ann", "bo", "cy"], fields={"city": ["上海", "北京", None]})
        >>> persona(roster, [True, False, False]).fit(roster).round(3).tolist()
        [0.6, 0.333, nan]
        """
        instance("roster", roster, Roster, expected="a Roster")
        total, terms = np.zeros(len(roster)), np.zeros(len(roster))
        for trait, evidence in self._evidence().items():
            found = trait_of(roster, trait, argument="roster")
            logs = np.array([evidence.get(label, np.nan) for label in found.labels])[found.codes]
            told = ~np.isnan(logs)
            rows = found.rows[told]
            number = np.bincount(rows, minlength=len(roster))
            gathered = np.bincount(rows, logs[told], minlength=len(roster))
            total += np.divide(gathered, number, out=np.zeros(len(roster)), where=number > 0)
            terms += number > 0
        return frozen(_unit(np.divide(total, terms, out=np.full(len(roster), np.nan), where=terms > 0)))

    def fit_one(self, traits: Mapping[str, Label | Iterable[Label] | None], /) -> float:
        """Return how much one member is like the segment: the same as their place in `fit`.

        Parameters
        ----------
        traits : mapping of str to label, or to labels where they are tags
            What is known of the member; None, or no entry, where it is not.

        Returns
        -------
        float
            Between 0 and 1; NaN where no trait is known.

        Raises
        ------
        InvalidTypeError
            `traits` is no mapping, or tags are no collection.

        Examples
        --------
        >>> roster = Roster.from_columns(member=["ann", "bo", "cy"], fields={"city": ["上海", "北京", None]})
        >>> round(persona(roster, [True, False, False]).fit_one({"city": "上海"}), 3)
        0.6
        """
        instance("traits", traits, Mapping, expected="a mapping of trait to label")
        means: list[float] = []
        for trait, evidence in self._evidence().items():
            carried: Any = traits.get(trait)
            if carried is None:
                continue
            labels = (
                sorted(set(items_of(f"traits[{trait!r}]", carried, expected="a collection of tags")))
                if trait in self.tag_names
                else [carried]
            )
            logs = [evidence[label] for label in labels if label in evidence and not np.isnan(evidence[label])]
            if logs:
                means.append(sum(logs) / len(logs))
        return float(_unit(np.array(sum(means) / len(means)))) if means else float("nan")

    def _evidence(self) -> dict[str, dict[Label, float]]:
        """Return the logarithm of each label's lift, drawn towards 1, by trait; NaN where the base has nobody."""
        lift = np.where(self.known > 0, self._lift().estimate, 1.0)
        drawn = np.log((self.known * lift + 1.0) / (self.known + 1.0))
        logs = np.where(self.base_counts > 0, drawn, np.nan).tolist()
        found: dict[str, dict[Label, float]] = {}
        for trait, label, log in zip(self.traits, self.labels, logs, strict=True):
            found.setdefault(trait, {})[label] = log
        return found

    # ── how it looks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in self._tidy() if not column.key.startswith("share_")]

    def _tidy(self) -> Sequence[Column]:
        ratio, interval = self._lift(), self.share_intervals()
        return [
            Column(key="trait", en="trait", zh="特征", values=objects(self.traits)),
            Column(key="label", en="label", zh="标签", values=objects(self.labels)),
            Column(key="members", en="members", zh="成员", values=self.counts, format="count"),
            Column(key="share", en="share", zh="占比", values=self.share, format="rate"),
            Column(key="share_lower", en="share lower", zh="占比下限", values=interval.lower, format="rate"),
            Column(key="share_upper", en="share upper", zh="占比上限", values=interval.upper, format="rate"),
            Column(key="base", en="base", zh="总体占比", values=self.base, format="rate"),
            Column(key="lift", en="lift", zh="提升度", values=ratio.estimate, format="number", digits=2),
            Column(key="lower", en="lower", zh="下限", values=ratio.lower, format="number", digits=2),
            Column(key="upper", en="upper", zh="上限", values=ratio.upper, format="number", digits=2),
        ]

    def _title(self, lang: Lang, /) -> str:
        told = f"{self.n_members:,} 名成员" if lang == "zh" else f"{self.n_members:,} members"
        return told if not self.name else f"{self.name}{'：' if lang == 'zh' else ': '}{told}"

    def __repr__(self) -> str:
        """Show how many members and traits there are."""
        traits = len(dict.fromkeys(self.traits))
        return f"Persona({self.name!r}, {self.n_members:,} members, {traits} traits, {len(self)} labels)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _unit(log: FloatArray) -> FloatArray:
    scaled: FloatArray = 1.0 / (1.0 + np.exp(-log))
    return scaled
