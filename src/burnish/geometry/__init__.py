"""Array functions on boxes, polygons and masks; no files, no classes.

Conventions, the same in every module of this room:

- **Pixels.** x goes right, y goes down, in absolute pixels. The pixel in column `i` and row `j` covers the square from `(i, j)` to
  `(i + 1, j + 1)`; its centre is `(i + 0.5, j + 0.5)`. A picture covers `[0, width) x [0, height)`, so a mirror sends `x` to
  `width - x`, never to `width - 1 - x`.
- **Boxes** are float64 arrays `(n, 4)` of `x1, y1, x2, y2`, half-open: the width is `x2 - x1`. No box is the array `(0, 4)`.
- **Rotated boxes** are float64 arrays `(n, 5)` of `cx, cy, width, height, degrees`, turned clockwise as seen about the centre, as CVAT
  turns them. The dataset's tables hold the box before the turn, and the angle: see `rotated.from_boxes`.
- **Ellipses** are float64 arrays `(n, 5)` of `cx, cy, rx, ry, degrees`, half axes, turned like boxes.
- **Rings** are float64 arrays `(n, 2)` of vertices; the last vertex is joined to the first and is not repeated. A **polygon** is a list of
  rings (parts and holes) filled by the even-odd rule. A positive signed area is clockwise as seen.
- **Rasterising** takes a pixel when its centre lies inside the polygon, so neighbours that share an edge share no pixel; contours run
  along the pixels' edges, so that filling a contour gives back the mask exactly. (COCO's own rasteriser also takes pixels that a
  contour only touches.)
- **Masks** are boolean arrays `(height, width)`. An array of integers counts as a mask (anything but 0 is inside); an array of floats does
  not: say the threshold, for instance `scores > 0.5`.
- **Run lengths** (`rle`) are COCO's: column by column, lengths of runs in turn outside and inside, starting outside.
- **Overlap** of two empty things is 0.0, without a warning; so is every ratio whose denominator is zero.

Functions never change the arrays that they are given. Empty inputs are welcome everywhere. An array of the wrong shape raises
`burnish.errors.DataError`, which says what came and what was expected.
"""
