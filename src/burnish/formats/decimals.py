"""Exact sums of coordinates, so that a corner written as a width or a radius comes back to the last digit.

Binary sums round: with x1 = 0.1 and x2 = 0.3 no double w gives x1 + w == x2 for sure. Decimal texts do not: the difference of
two doubles' shortest decimal texts is written out in full, and the reader adds before it rounds.
"""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation
from typing import Final

from burnish.errors import DataError

# The shortest text of a double has at most 17 digits and lies between 1e-324 and 1e309.
EXACT: Final = Context(prec=700)
_LONGEST_PLAIN: Final = 40


def exact(value: float | str | Decimal) -> Decimal:
    """A number as a decimal with the digits that it is written with.

    Raises:
        DataError: It is no finite number.
    """
    try:
        number = Decimal(repr(float(value)) if isinstance(value, float) else str(value).strip())
    except InvalidOperation as error:
        raise DataError(f"{value!r} is no number.") from error
    if not number.is_finite():
        raise DataError(f"{value!r} is not finite.")
    return number


def decimal_text(number: Decimal) -> str:
    """A decimal in plain digits without needless zeros, with an exponent only where it would be very long."""
    if number == number.to_integral_value():
        number = number.quantize(Decimal(1)) if abs(number) < Decimal(10) ** 20 else number
    else:
        number = number.normalize(EXACT)
    plain = f"{number:f}"
    return plain if len(plain) <= _LONGEST_PLAIN else str(number)


def plus(left: Decimal, right: Decimal | int) -> Decimal:
    """The exact sum."""
    return EXACT.add(left, Decimal(right))


def minus(left: Decimal, right: Decimal | int) -> Decimal:
    """The exact difference."""
    return EXACT.subtract(left, Decimal(right))


def half(number: Decimal) -> Decimal:
    """Exactly a half."""
    return EXACT.multiply(number, Decimal("0.5"))
