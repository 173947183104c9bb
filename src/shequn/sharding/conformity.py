"""Do the groups of a chain follow one template for management, content, rules and service, and which deviate where?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import (
    InvalidTypeError,
    InvalidValueError,
    MisalignedError,
    UnknownLabelError,
    counted,
    message,
    suggest,
)
from shequn.labels import Index
from shequn.stats._checks import counts_column, instance, items_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["Conformity", "ConformityRow", "Deviation", "UnifiedAspect", "conformity"]

_MOST_SETTINGS = 2**31 - 1


class UnifiedAspect(Taxonomy):
    """What the groups of a chain have in common (统一管理、内容、制度、服务).

    References
    ----------
    S1 §四(五), row T22 of the domain table.

    Examples
    --------
    >>> UnifiedAspect.from_label("制度")
    <UnifiedAspect.RULES: 'rules'>
    """

    MANAGEMENT = "management", "管理", "management", "统一管理"
    CONTENT = "content", "内容", "content", "统一内容"
    RULES = "rules", "制度", "rules", "统一制度"
    SERVICE = "service", "服务", "service", "统一服务"


class Deviation(NamedTuple):
    """One setting of one group that is not as the template says.

    Attributes
    ----------
    group : str or int
        The group.
    aspect : UnifiedAspect
        What the setting is about.
    setting : str
        Its name.
    expected, found : object
        What the template says, and what the group has; None where it lacks the setting.

    Examples
    --------
    >>> Deviation(group="三群", aspect=UnifiedAspect.RULES, setting="no ads", expected=True, found=None).setting
    'no ads'
    """

    group: Label
    aspect: UnifiedAspect
    setting: str
    expected: object
    found: object


class ConformityRow(NamedTuple):
    """One group under one aspect; the names are those of `Conformity.to_columns`.

    Attributes
    ----------
    group : str or int
        The group.
    aspect : UnifiedAspect
        The aspect.
    settings, conforming : int
        Settings of the template, and those that the group has as it says.
    rate : float
        conforming / settings.

    Examples
    --------
    >>> ConformityRow(group="三群", aspect=UnifiedAspect.RULES, settings=4, conforming=3, rate=0.75).rate
    0.75
    """

    group: Label
    aspect: UnifiedAspect
    settings: int
    conforming: int
    rate: float


def _aspects(aspects: Iterable[UnifiedAspect]) -> tuple[UnifiedAspect, ...]:
    found = items_of("aspects", aspects, expected="aspects")
    for row, aspect in enumerate(found):
        if not isinstance(aspect, UnifiedAspect):
            raise InvalidTypeError(message("aspects", "UnifiedAspect", aspect, row=row))
        if aspect in found[:row]:
            raise InvalidValueError(message("aspects", "each aspect once", str(aspect), row=row))
    return tuple(found)


def _deviations(deviations: Iterable[Deviation]) -> tuple[Deviation, ...]:
    found = items_of("deviations", deviations, expected="deviations")
    for row, deviation in enumerate(found):
        if not isinstance(deviation, Deviation):
            raise InvalidTypeError(message("deviations", "Deviation", deviation, row=row))
    return tuple(found)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Conformity(Tabular[ConformityRow]):
    """How far each group follows the template, aspect by aspect; made by `conformity`.

    Attributes
    ----------
    groups : Index
        The n groups.
    aspects : tuple of UnifiedAspect
        The m aspects that the template speaks of.
    settings : ndarray of int64, shape (m,)
        Settings of the template under each aspect.
    conforming : ndarray of int64, shape (n, m)
        Of those, how many each group has as the template says.
    deviations : tuple of Deviation
        All others.

    Examples
    --------
    >>> template = {"rules": {"no ads": True, "quiet": "22-8"}, "service": {"reply within hours": 2}}
    >>> found = conformity(template, {"一群": template, "二群": {"rules": {"no ads": True, "quiet": "23-7"}}})
    >>> print(found.table(lang="zh"))
    符合模板 66.7%，1 / 2 个群完全符合
    群    制度    服务
    ────────────────────
    一群  100.0%  100.0%
    二群   50.0%    0.0%
    >>> [(d.setting, d.expected, d.found) for d in found.deviations]
    [('quiet', '22-8', '23-7'), ('reply within hours', 2, None)]
    """

    groups: Index
    aspects: tuple[UnifiedAspect, ...] = attrs.field(converter=_aspects)
    settings: IntArray
    conforming: IntArray
    deviations: tuple[Deviation, ...] = attrs.field(converter=_deviations)

    _Row: ClassVar[type[Any] | None] = ConformityRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        instance("groups", self.groups, Index, expected="an Index of groups")
        n, m = len(self.groups), len(self.aspects)
        of_aspects = f"each of {counted(m, 'aspect')}"
        settings = counts_column("settings", self.settings, (m,), of=of_aspects, least=1, most=_MOST_SETTINGS)
        of_both = f"each of {counted(n, 'group')} and {counted(m, 'aspect')}"
        conforming = counts_column("conforming", self.conforming, (n, m), of=of_both)
        if (conforming > settings).any():
            refuse("conforming", "no more than there are settings", conforming, conforming > settings)
        deviating = int(settings.sum()) * n - int(conforming.sum())
        if len(self.deviations) != deviating:
            raise MisalignedError(message("deviations", f"the {deviating} that do not conform", len(self.deviations)))
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "conforming", conforming)

    @property
    def rates(self) -> FloatArray:
        """Share of the settings that conform, shape (n_groups, n_aspects)."""
        return frozen(self.conforming / self.settings)

    @property
    def share(self) -> float:
        """Share of all settings of all groups that conform; NaN without groups."""
        all_settings = int(self.settings.sum()) * len(self.groups)
        return int(self.conforming.sum()) / all_settings if all_settings else float("nan")

    @property
    def deviating(self) -> tuple[Label, ...]:
        """Groups with a setting that deviates, the one with most first."""
        missing = (self.settings - self.conforming).sum(axis=1)
        order = np.argsort(-missing, kind="stable")
        return tuple(self.groups[int(code)] for code in order if missing[code])

    def __len__(self) -> int:
        """Return the number of rows: groups times aspects."""
        return int(self.conforming.size)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="group", en="group", zh="群", values=self.groups.labels),
            *(
                Column(key=str(aspect), en=aspect.en, zh=aspect.zh, values=self.rates[:, place], format="rate")
                for place, aspect in enumerate(self.aspects)
            ),
        ]

    def _tidy(self) -> Sequence[Column]:
        n, m = self.conforming.shape
        aspects = np.fromiter(self.aspects * n, dtype=object, count=n * m)
        return [
            Column(key="group", en="group", zh="群", values=np.repeat(self.groups.labels, m)),
            Column(key="aspect", en="aspect", zh="方面", values=aspects),
            Column(key="settings", en="settings", zh="项目", values=np.tile(self.settings, n), format="count"),
            Column(key="conforming", en="conforming", zh="符合", values=self.conforming.ravel(), format="count"),
            Column(key="rate", en="rate", zh="符合率", values=self.rates.ravel(), format="rate"),
        ]

    def _title(self, lang: Lang, /) -> str:
        n = len(self.groups)
        follow = n - len(self.deviating)
        share = f"{self.share:.1%}" if n else "–"
        if lang == "zh":
            return f"符合模板 {share}，{follow:,} / {n:,} 个群完全符合"
        groups = f"{counted(n, 'group')} {'follows' if n == 1 else 'follow'}"
        return f"{share} of settings conform; {follow:,} of {groups} the template throughout"

    def __repr__(self) -> str:
        """Show how many groups follow the template."""
        n = len(self.groups)
        groups = f"{counted(n, 'group')} {'conforms' if n == 1 else 'conform'}"
        return f"Conformity({n - len(self.deviating):,} of {groups}, {counted(len(self.deviations), 'deviation')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def conformity(
    template: Mapping[UnifiedAspect | str, Mapping[str, object]],
    groups: Mapping[Label, Mapping[UnifiedAspect | str, Mapping[str, object]]],
    /,
) -> Conformity:
    """Compare the settings of each group with those of the template.

    Parameters
    ----------
    template : mapping of aspect to mapping of setting to value
        What every group of the chain should have; aspects by code or by Chinese or English name.
    groups : mapping of group to such a mapping
        What each has. Settings that the template does not name are a group's own business.

    Returns
    -------
    Conformity
        Share conforming by group and aspect, and every deviation.

    Raises
    ------
    InvalidTypeError
        Something is no mapping.
    InvalidValueError
        The template names no setting, or an aspect twice.
    UnknownLabelError
        There is no such aspect.

    References
    ----------
    S1 §四(五), row T22 of the domain table.

    Examples
    --------
    >>> conformity({"管理": {"admins": 2}}, {"g1": {"management": {"admins": 2}}, "g2": {}}).deviating
    ('g2',)
    """
    wanted = {aspect: settings for aspect, settings in _by_aspect("template", template).items() if settings}
    if not wanted:
        raise InvalidValueError(message("template", "at least one setting", template))
    instance("groups", groups, Mapping, expected="a mapping of group to its settings")
    labels = Index(list(groups), argument="groups")
    deviations: list[Deviation] = []
    conforming = np.zeros((len(labels), len(wanted)), dtype=np.int64)
    for row, (group, given) in enumerate(groups.items()):
        found = _by_aspect(f"groups[{group!r}]", given)
        for column, (aspect, settings) in enumerate(wanted.items()):
            own = found.get(aspect, {})
            off = [name for name, value in settings.items() if name not in own or not _is_same(name, value, own[name])]
            conforming[row, column] = len(settings) - len(off)
            deviations += [Deviation(group, aspect, name, settings[name], own.get(name)) for name in off]
    return Conformity(
        groups=labels,
        aspects=tuple(wanted),
        settings=np.array([len(settings) for settings in wanted.values()], dtype=np.int64),
        conforming=conforming,
        deviations=tuple(deviations),
    )


def _is_same(name: str, value: Any, own: Any) -> bool:  # noqa: ANN401
    """Whether two values of a setting are equal; arrays are where all their entries are."""
    try:
        if hasattr(value, "__array__") or hasattr(own, "__array__"):
            return bool(np.array_equal(value, own))
        return value is own or bool(own == value)
    except Exception:  # values are of any class, and so is what comparing them raises
        raise InvalidTypeError(message(f"setting {name!r}", "values that can be compared", (value, own))) from None


def _by_aspect(argument: str, given: object) -> dict[UnifiedAspect, Mapping[str, object]]:
    """Return settings by aspect, in the order of the taxonomy."""
    if not isinstance(given, Mapping):
        raise InvalidTypeError(message(argument, "a mapping of aspect to settings", given))
    found: dict[UnifiedAspect, Mapping[str, object]] = {}
    for name, settings in cast("Any", given).items():
        aspect = _aspect(argument, name)
        if aspect in found:
            raise InvalidValueError(message(argument, "each aspect once", name))
        if not isinstance(settings, Mapping):
            raise InvalidTypeError(message(f"{argument}[{name!r}]", "a mapping of setting to value", settings))
        for setting in cast("Mapping[object, object]", settings):
            if not isinstance(setting, str):
                raise InvalidTypeError(message(f"{argument}[{name!r}]", "names of settings", setting))
        found[aspect] = cast("Mapping[str, object]", settings)
    return {aspect: found[aspect] for aspect in UnifiedAspect if aspect in found}


def _aspect(argument: str, name: object) -> UnifiedAspect:
    if not isinstance(name, str):
        raise InvalidTypeError(message(argument, "names of aspects", name))
    try:
        return UnifiedAspect.from_label(name)
    except UnknownLabelError:
        expected = f"one of the aspects {', '.join(UnifiedAspect)}"
        raise UnknownLabelError(message(argument, expected, name) + suggest(name, UnifiedAspect)) from None
