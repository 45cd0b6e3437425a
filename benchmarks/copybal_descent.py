"""The copy balancing that burnish replaces, as its description has it: one autograd node for every object. A baseline, not for use.

Variances are unbiased and 0 for fewer than two values. Each step takes the gradient by automatic differentiation, keeps its negative part,
multiplies by the rate, scales what is more than `max_copy_per_step` down to that, rounds, and adds. It stops when nothing changes, when
every picture has a copy, or when the budget is passed; when the loss has risen it starts again from one copy each with half the rate.
"""

from __future__ import annotations

import torch


def variance(values):
    return torch.var(values, unbiased=True) if values.numel() > 1 else torch.zeros((), dtype=torch.float64)


def loss_terms(counts, classes, superclasses):
    """The four terms, computed object by object."""
    within_objects, totals = [], {}
    for name, objects in classes.items():
        seen = [torch.cat([counts[file : file + 1] for file in files]).sum() for files in objects]
        stacked = torch.stack(seen)
        if len(seen) > 1:
            within_objects.append(variance(stacked))
        totals[name] = stacked.sum()
    within_classes, above = [], []
    for members in superclasses.values():
        stacked = torch.stack([totals[name] for name in sorted(members)])
        if len(members) > 1:
            within_classes.append(variance(stacked))
        above.append(stacked.sum())
    zero = torch.zeros((), dtype=torch.float64)
    objects = torch.stack(within_objects).mean() if within_objects else zero
    inside = torch.stack(within_classes).mean() if within_classes else zero
    return variance(counts), objects, inside, variance(torch.stack(above))


def described_descent(files, classes, superclasses, *, steps=10_000, max_copies=None, budget=None, max_copy_per_step=50_000, lr=1e-4):
    """Counts of each file, and the losses of the steps."""
    counts = torch.ones(files, dtype=torch.float64)
    before, losses = float("inf"), []
    for _ in range(steps):
        variable = counts.clone().requires_grad_(requires_grad=True)
        terms = loss_terms(variable, classes, superclasses)
        total = sum(terms)
        (gradient,) = torch.autograd.grad(total, variable)
        losses.append((total.item(), *(term.item() for term in terms)))
        added = -lr * gradient.clamp(max=0)
        if float(added.sum()) > max_copy_per_step:
            added = max_copy_per_step * added / added.sum()
        old, counts = counts, counts + added.round()
        if max_copies is not None:
            counts = counts.clamp(max=max_copies)
        if bool((counts == old).all()) or bool((counts > 1).all()):
            break
        if budget is not None and float(counts.sum()) > budget * files:
            break
        if total.item() > before:
            counts, lr = torch.ones_like(counts), lr / 2
        before = total.item()
    return counts.to(torch.int64).tolist(), losses
