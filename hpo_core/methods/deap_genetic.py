"""DEAP's genetic algorithm."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass
from typing import Any, ClassVar

from hpo_core.methods import Strengths
from hpo_core.methods._peer import Drawn, Peer, PeerSearch, imported
from hpo_core.options import option
from hpo_core.space import Configuration, SearchSpace


@dataclass(frozen=True)
class DeapGenetic(PeerSearch):
    """The loop of `deap.algorithms.eaSimple`, with DEAP's operators on genes in the unit cube."""

    key: ClassVar[str] = "deap_genetic"
    label: ClassVar[str] = "DEAP genetic"
    purpose: ClassVar[str] = "DEAP's genetic algorithm: tournaments, crossover and mutation, generation by generation."
    when_to_use: ClassVar[str] = (
        "To compare with DEAP, and to see a genetic algorithm as its handbook writes it; needs hundreds of cheap "
        "trials. Conditions are not known to it: inactive genes are inherited, but change nothing."
    )
    source: ClassVar[str] = (
        "Fortin et al. (2012), DEAP: Evolutionary Algorithms Made Easy; its loop after Bäck, Fogel and Michalewicz "
        "(2000), Evolutionary Computation 1"
    )
    strengths: ClassVar[Strengths] = Strengths(fewest=100, is_peer=True)
    package: ClassVar[str] = "deap"
    modules: ClassVar[tuple[str, ...]] = ("deap",)

    population: int = option(20, "Population", "Configurations in each generation.", low=4, high=1000)
    crossover: str = option(
        "uniform",
        "Crossover",
        "How two parents mix: gene by gene, by a swapped stretch, or by values between and around theirs (simulated "
        "binary).",
        choices=("uniform", "two points", "simulated binary"),
    )
    crossover_rate: float = option(0.5, "Crossover rate", "How likely a pair is crossed.", low=0.0, high=1.0)
    mutation_rate: float = option(0.5, "Mutation rate", "How likely a child is mutated.", low=0.0, high=1.0)
    tournament: int = option(
        3, "Tournament", "The best of this many random candidates becomes a parent.", low=1, high=50
    )

    def start(self, space: SearchSpace, seed: int) -> Peer:
        return _Deap(self, space)


_ETA = 20.0  # crowding of DEAP's bounded operators: the higher, the closer children stay to their parents
_MOST_GENERATIONS = 50  # without a new individual, before the peer passes


def deap_toolbox(method: DeapGenetic, n_genes: int) -> Any:
    """The operators under DEAP's own names, for genes from 0 to 1."""
    tools = imported("deap.tools")
    toolbox = imported("deap.base").Toolbox()
    toolbox.register("clone", copy.deepcopy)
    if method.crossover == "simulated binary":
        toolbox.register("mate", tools.cxSimulatedBinaryBounded, eta=_ETA, low=0.0, up=1.0)
    elif method.crossover == "uniform" or n_genes < 2:  # two points need two genes to lie between
        toolbox.register("mate", tools.cxUniform, indpb=0.5)
    else:
        toolbox.register("mate", tools.cxTwoPoint)
    toolbox.register("mutate", tools.mutPolynomialBounded, eta=_ETA, low=0.0, up=1.0, indpb=max(0.2, 1.0 / n_genes))
    toolbox.register("select", tools.selTournament, tournsize=method.tournament)
    return toolbox


def deap_individual(genes: list[float]) -> Any:
    """An individual that minimises one value, without DEAP's registry of classes, which is global."""
    individual = _Individual(genes)
    individual.fitness = _Fitness.of_one_value()
    return individual


class _Fitness:
    _kind: Any = None

    @classmethod
    def of_one_value(cls) -> Any:
        if cls._kind is None:
            cls._kind = type("Minimised", (imported("deap.base").Fitness,), {"weights": (-1.0,)})
        return cls._kind()


class _Individual(list[float]):
    fitness: Any

    def __deepcopy__(self, memo: dict[int, Any]) -> _Individual:
        twin = _Individual(self)
        twin.fitness = copy.deepcopy(self.fitness, memo)
        return twin


class _Deap(Peer):
    """Asks for the individuals of a generation that have no value yet; when all have one, the next is bred.

    Where more is asked while some are still in flight, a child of those that are known joins the generation. So do the
    trials of others. A failed individual has the worst fitness that there is.
    """

    def __init__(self, method: DeapGenetic, space: SearchSpace) -> None:
        self._method, self._space = method, space
        self._toolbox = deap_toolbox(method, len(space))
        self._vary = imported("deap.algorithms").varAnd
        self._members: list[Any] = []
        self._waiting: list[Any] | None = None
        self._n_out = 0

    def draw(self) -> Drawn | None:
        if self._waiting is None:
            self._begin()
        individual = self._next()
        if individual is None:
            return None
        self._n_out += 1
        return Drawn(self._space.from_unit(individual), individual)

    def tell(self, drawn: Drawn, value: float | None) -> None:
        self._n_out -= 1
        drawn.handle.fitness.values = (float("inf") if value is None else value,)

    def tell_other(self, configuration: Configuration, value: float | None) -> None:
        if value is not None:
            values = {**self._space.defaults(), **configuration}
            member = deap_individual([p.unit(values[p.name]) for p in self._space.parameters])
            member.fitness.values = (value,)
            self._members.append(member)

    def _begin(self) -> None:
        """The best of what is known already, filled up at random."""
        n = self._method.population
        self._members = sorted(self._members, key=lambda member: member.fitness, reverse=True)[:n]
        n_genes = len(self._space)
        self._waiting = [
            deap_individual([random.random() for _ in range(n_genes)]) for _ in range(n - len(self._members))
        ]
        self._members += self._waiting

    def _next(self) -> Any:
        assert self._waiting is not None
        for _ in range(_MOST_GENERATIONS):
            if self._waiting:
                return self._waiting.pop(0)
            known = [member for member in self._members if member.fitness.valid]
            if self._n_out:
                children = self._vary(self._toolbox.select(known, 2) if known else [], *self._rates())
                self._waiting = [child for child in children if not child.fitness.valid][:1] or [self._stranger()]
                self._members += self._waiting
            else:
                parents = self._toolbox.select(known, self._method.population)
                self._members = self._vary(parents, *self._rates())
                self._waiting = [child for child in self._members if not child.fitness.valid]
        return None

    def _rates(self) -> tuple[Any, float, float]:
        return self._toolbox, self._method.crossover_rate, self._method.mutation_rate

    def _stranger(self) -> Any:
        return deap_individual([random.random() for _ in range(len(self._space))])


DEAP_GENETIC = DeapGenetic()
