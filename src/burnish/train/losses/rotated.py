"""Areas of rotated boxes with gradients: what `burnish.geometry.rotated` computes, on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

_ON_EDGE = 1e-6
_PARALLEL = 1e-9
_SIGNS = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


def corners(boxes: Tensor) -> Tensor:
    """Corners (N, 4, 2) of boxes (N, 5), clockwise as seen."""
    signs = torch.tensor(_SIGNS, dtype=boxes.dtype, device=boxes.device)
    offsets = boxes[:, None, 2:4].clamp_min(0) * signs
    angle = torch.deg2rad(boxes[:, 4:5])
    cosine, sine = angle.cos(), angle.sin()
    x = cosine * offsets[..., 0] - sine * offsets[..., 1]
    y = sine * offsets[..., 0] + cosine * offsets[..., 1]
    return torch.stack([x, y], 2) + boxes[:, None, :2]


def intersection_areas(one: Tensor, two: Tensor) -> Tensor:
    """Areas (N,) common to convex quads (N, 4, 2), clockwise: of the polygon of their corners inside each other and their crossings."""
    points = torch.cat([one, two], 1).detach()
    origin = points.mean(1, keepdim=True)
    scale = (points - origin).abs().amax((1, 2), keepdim=True).clamp_min(torch.finfo(one.dtype).tiny)
    one, two = (one - origin) / scale, (two - origin) / scale
    crossings, crossed = _crossings(one, two)
    found = torch.cat([one, two, crossings], 1)
    taken = torch.cat([_inside(one, two), _inside(two, one), crossed], 1)
    return _convex_areas(found, taken) * scale.view(-1) ** 2


def hull_areas(points: Tensor) -> Tensor:
    """Areas (N,) of the convex hulls of points (N, P, 2)."""
    order = _hull_order(points.detach())
    return _shoelace(points.gather(1, order.unsqueeze(2).expand(-1, -1, 2)))


def _crossings(one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
    """Crossings (N, 16, 2) of every side of one quad with every side of the other, and which of them exist."""
    start, other = one.unsqueeze(2), two.unsqueeze(1)
    along, side = (one.roll(-1, 1) - one).unsqueeze(2), (two.roll(-1, 1) - two).unsqueeze(1)
    cross = _cross(along, side)
    parallel = cross.abs() < _PARALLEL
    safe = torch.where(parallel, 1.0, cross)
    gap = other - start
    t, u = _cross(gap, side) / safe, _cross(gap, along) / safe
    exists = ~parallel & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
    points = start + torch.where(exists, t, 0.0).unsqueeze(-1) * along
    return points.flatten(1, 2), exists.flatten(1)


def _inside(points: Tensor, quads: Tensor) -> Tensor:
    """Say which points (N, P, 2) lie in or on the clockwise quads (N, 4, 2) of their row."""
    sides = (quads.roll(-1, 1) - quads).unsqueeze(1)
    return (_cross(sides, points.unsqueeze(2) - quads.unsqueeze(1)) >= -_ON_EDGE).all(2)


def _convex_areas(points: Tensor, taken: Tensor) -> Tensor:
    """Areas (N,) of the convex polygons through the taken points (N, P, 2), which come in any order and may repeat."""
    count = taken.sum(1)
    first = points.gather(1, taken.int().argmax(1).view(-1, 1, 1).expand(-1, 1, 2))
    # Points that are not taken move onto the first that is: a repeated corner adds no area.
    ring = torch.where(taken.unsqueeze(2), points, first)
    with torch.no_grad():
        centre = (points * taken.unsqueeze(2)).sum(1, keepdim=True) / count.clamp_min(1).view(-1, 1, 1)
        away = ring - centre
        order = torch.atan2(away[..., 1], away[..., 0]).argsort(1)
    areas = _shoelace(ring.gather(1, order.unsqueeze(2).expand_as(ring)))
    return torch.where(count > 2, areas.clamp_min(0), 0.0)  # noqa: PLR2004 - a polygon has three corners


def _hull_order(points: Tensor) -> Tensor:
    """Indices (N, P) of the hull's corners, clockwise, the last one repeated: gift wrapping (Jarvis, 1973), all rows at once."""
    count = points.shape[1]
    scale = (points.amax(1) - points.amin(1)).amax(1).clamp_min(torch.finfo(points.dtype).tiny)
    points = (points - points.mean(1, keepdim=True)) / scale.view(-1, 1, 1)
    lowest = points[..., 1] == points[..., 1].amin(1, keepdim=True)
    start = torch.where(lowest, points[..., 0], torch.inf).argmin(1)
    order, current = [start], start
    for _ in range(count - 1):
        following = _next_corner(points, current)
        back = (points.gather(1, following.view(-1, 1, 1).expand(-1, 1, 2)) - points.gather(1, start.view(-1, 1, 1).expand(-1, 1, 2))).abs()
        # Once round, the walk stays where it began.
        current = torch.where((back.amax((1, 2)) < _ON_EDGE) | (current == start) & (len(order) > 1), start, following)
        order.append(current)
    return torch.stack(order, 1)


def _next_corner(points: Tensor, current: Tensor) -> Tensor:
    """The point from which all others lie on the right hand, the farthest of those in one line."""
    here = points.gather(1, current.view(-1, 1, 1).expand(-1, 1, 2))
    away = points - here
    length = away.norm(dim=2)
    turn = _cross(away.unsqueeze(2), away.unsqueeze(1))
    outer = (turn >= -_ON_EDGE * length.unsqueeze(1)).all(2) & (length > _ON_EDGE)
    return torch.where(outer, length, -1.0).argmax(1)


def _shoelace(ring: Tensor) -> Tensor:
    return _cross(ring, ring.roll(-1, 1)).sum(1) / 2


def _cross(one: Tensor, two: Tensor) -> Tensor:
    return one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
