"""Campaigns that compute: draws anyone can verify, streaks, ranks, reward budgets, and whether it paid."""

from shequn.campaigns._attendance import attendance as attendance
from shequn.campaigns._challenge import challenge as challenge
from shequn.campaigns._draw import close_entries as close_entries
from shequn.campaigns._draw import draw as draw
from shequn.campaigns._form_effects import form_effects as form_effects
from shequn.campaigns._outcome import outcome as outcome
from shequn.campaigns._rank import rank as rank
from shequn.campaigns._redemptions import RedemptionRow as RedemptionRow
from shequn.campaigns._redemptions import Redemptions as Redemptions
from shequn.campaigns._redemptions import redemptions as redemptions
from shequn.campaigns._required_sample import SampleSize as SampleSize
from shequn.campaigns._required_sample import minimum_detectable as minimum_detectable
from shequn.campaigns._required_sample import minimum_detectable_mean as minimum_detectable_mean
from shequn.campaigns._required_sample import required_sample as required_sample
from shequn.campaigns._required_sample import required_sample_of_means as required_sample_of_means
from shequn.campaigns._reward_budget import reward_budget as reward_budget
from shequn.campaigns._streaks import streak_of as streak_of
from shequn.campaigns._streaks import streaks as streaks
from shequn.campaigns.arm import Arm as Arm
from shequn.campaigns.arm import Before as Before
from shequn.campaigns.arm import Change as Change
from shequn.campaigns.attendances import Attendance as Attendance
from shequn.campaigns.attendances import AttendanceRow as AttendanceRow
from shequn.campaigns.attendances import BeforeAfter as BeforeAfter
from shequn.campaigns.challenges import Challenge as Challenge
from shequn.campaigns.challenges import ChallengeRow as ChallengeRow
from shequn.campaigns.challenges import EntryReason as EntryReason
from shequn.campaigns.chances import win_probabilities as win_probabilities
from shequn.campaigns.design import review_designs as review_designs
from shequn.campaigns.design_reviews import DesignReview as DesignReview
from shequn.campaigns.design_reviews import DesignRow as DesignRow
from shequn.campaigns.drawing import commit as commit
from shequn.campaigns.draws import Draw as Draw
from shequn.campaigns.draws import DrawFault as DrawFault
from shequn.campaigns.draws import DrawRow as DrawRow
from shequn.campaigns.elasticity import Elasticity as Elasticity
from shequn.campaigns.elasticity import arc_elasticity as arc_elasticity
from shequn.campaigns.estimates import Estimate as Estimate
from shequn.campaigns.estimates import MoneyEstimate as MoneyEstimate
from shequn.campaigns.forms import FormEffects as FormEffects
from shequn.campaigns.forms import FormRow as FormRow
from shequn.campaigns.outcomes import Outcome as Outcome
from shequn.campaigns.outcomes import OutcomeRow as OutcomeRow
from shequn.campaigns.outcomes import SampleRatio as SampleRatio
from shequn.campaigns.peers import PeerEffect as PeerEffect
from shequn.campaigns.peers import PeerRow as PeerRow
from shequn.campaigns.peers import peer_effect as peer_effect
from shequn.campaigns.reward_budgets import RewardBudget as RewardBudget
from shequn.campaigns.reward_budgets import RewardBudgetRow as RewardBudgetRow
from shequn.campaigns.streak_table import Streak as Streak
from shequn.campaigns.streak_table import StreakRow as StreakRow
from shequn.campaigns.streak_table import Streaks as Streaks

__all__ = [
    "Arm",
    "Attendance",
    "AttendanceRow",
    "Before",
    "BeforeAfter",
    "Challenge",
    "ChallengeRow",
    "Change",
    "DesignReview",
    "DesignRow",
    "Draw",
    "DrawFault",
    "DrawRow",
    "Elasticity",
    "EntryReason",
    "Estimate",
    "FormEffects",
    "FormRow",
    "MoneyEstimate",
    "Outcome",
    "OutcomeRow",
    "PeerEffect",
    "PeerRow",
    "RedemptionRow",
    "Redemptions",
    "RewardBudget",
    "RewardBudgetRow",
    "SampleRatio",
    "SampleSize",
    "Streak",
    "StreakRow",
    "Streaks",
    "arc_elasticity",
    "attendance",
    "challenge",
    "close_entries",
    "commit",
    "draw",
    "form_effects",
    "minimum_detectable",
    "minimum_detectable_mean",
    "outcome",
    "peer_effect",
    "rank",
    "redemptions",
    "required_sample",
    "required_sample_of_means",
    "review_designs",
    "reward_budget",
    "streak_of",
    "streaks",
    "win_probabilities",
]
