"""To whom something is filed: to the unit above, to the one that a unit is paired with, or to several."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .campaigns import Campaign
from .duties import Duty
from .entities import Unit, Units
from .forms.spec import Form


@dataclass(frozen=True, slots=True)
class Addressee:
    """A unit to which something is filed; one of them decides on it, the others receive it."""

    unit: Unit
    decides: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two units, and the roles that they bear towards each other."""

    one: Unit
    one_role: str
    other: Unit
    other_role: str


@dataclass(frozen=True)
class Addressing:
    """The roles of units in a campaign, and to whom each of its duties goes."""

    units: Units
    pairs: tuple[Pair, ...] = ()

    @classmethod
    def of(cls, campaign: Campaign, units: Units, forms: Mapping[str, Form]) -> "Addressing":
        """The addressing of a campaign; pairs of which a unit is not open are left out."""
        return cls(units, tuple(_pairs(campaign, units, forms)))

    def roles(self, unit: Unit) -> frozenset[str]:
        """What a unit is in the campaign: its own role, and the sides on which it stands."""
        ones = {p.one_role for p in self.pairs if p.one.ref == unit.ref}
        return frozenset({unit.role} | ones | {p.other_role for p in self.pairs if p.other.ref == unit.ref})

    def addressees(self, duty: Duty, unit: Unit) -> tuple[Addressee, ...]:
        """To whom a unit files a duty, in the duty's order; none where one of them is not known.

        The unit above decides where it is among them, else the first.
        """
        found = [self._called(role, unit) for role in duty.to]
        known = list({u.ref: u for u in found if u is not None}.values())
        if not known or None in found:
            return ()
        first = next((u for u in known if u.ref == unit.parent), known[0])
        return tuple(Addressee(u, u is first) for u in known)

    def _called(self, role: str, unit: Unit) -> Unit | None:
        """The unit that bears a role towards another: the one it is paired with, else the nearest above."""
        for pair in self.pairs:
            if (role, unit.ref) == (pair.one_role, pair.other.ref):
                return pair.one
            if (role, unit.ref) == (pair.other_role, pair.one.ref):
                return pair.other
        return next((u for u in self.units.ancestors(unit) if u.role == role), None)


def _pairs(campaign: Campaign, units: Units, forms: Mapping[str, Form]) -> Iterator[Pair]:
    for pairing in campaign.pairings:
        for row in forms[pairing.form].rows:
            one, other = (units.named(str(row.get(s.column) or "")) for s in (pairing.one, pairing.other))
            if one is not None and other is not None:
                yield Pair(one, pairing.one.role, other, pairing.other.role)
