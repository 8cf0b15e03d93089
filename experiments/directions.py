"""Which way a metric gets better: as people declared it for their repository, else guessed from its name."""

from __future__ import annotations

import re
from collections.abc import Mapping

MIN, MAX = "min", "max"
_LOWER = frozenset({
    "loss", "losses", "error", "errors", "err", "rmse", "mse", "mae", "mape", "smape", "rmsle", "logloss", "nll", "bce",
    "perplexity", "ppl", "wer", "cer", "eer", "fid", "kl", "divergence", "cost", "regret", "latency", "seconds", "ms",
    "duration", "time", "deviance", "brier", "ece", "hamming",
})  # fmt: skip
_HIGHER = frozenset({
    "acc", "accuracy", "auc", "auroc", "auprc", "roc", "f1", "fbeta", "precision", "recall", "sensitivity",
    "specificity", "score", "map", "ap", "iou", "miou", "dice", "jaccard", "bleu", "rouge", "meteor", "r2", "reward",
    "return", "throughput", "psnr", "ssim", "mcc", "kappa", "ndcg", "mrr", "hits", "elo", "likelihood",
})  # fmt: skip
_WORDS = re.compile(r"[A-Z]{2,}(?![a-z])[0-9]?|[A-Za-z][a-z]*[0-9]?")


def guessed(metric: str) -> str:
    """MIN, MAX, or "" for a name that says nothing. What counts less stands last: val_acc_loss is a loss."""
    for word in reversed([word.lower() for word in _WORDS.findall(metric)]):
        if word in _LOWER:
            return MIN
        if word in _HIGHER:
            return MAX
    return ""


def direction(metric: str, declared: Mapping[str, str]) -> str:
    return declared.get(metric) or guessed(metric)


def lower_is_better(metric: str, declared: Mapping[str, str]) -> bool:
    return direction(metric, declared) == MIN
