"""Through which stages does a community live?"""

from __future__ import annotations

from shequn.entities.taxonomies import Taxonomy

__all__ = ["LifecycleStage"]


class LifecycleStage(Taxonomy):
    """The five stages in the life of a community, in their order (社群生命周期).

    A stage compares with text as its code does; `rank` gives the order of stages.

    References
    ----------
    S1 §三(二), row T2 of the domain table.

    Examples
    --------
    >>> [stage.zh for stage in LifecycleStage]
    ['萌芽期', '高速成长期', '活跃互动期', '衰亡期', '沉寂期']
    >>> LifecycleStage.from_label("衰亡期").rank
    3
    """

    GERMINATION = "germination", "萌芽期", "germination"
    RAPID_GROWTH = "rapid_growth", "高速成长期", "rapid growth"
    ACTIVE_INTERACTION = "active_interaction", "活跃互动期", "active interaction"
    DECLINE = "decline", "衰亡期", "decline"
    DORMANCY = "dormancy", "沉寂期", "dormancy"

    @property
    def rank(self) -> int:
        """Place in the order, from 0 for germination to 4 for dormancy."""
        return list(LifecycleStage).index(self)
