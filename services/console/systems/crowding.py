"""How many requests of other systems are under way at once; counted in this process alone."""

from collections import Counter


class Crowd:
    """At most ``most`` requests of one company under way at once, and ``most_in_all`` of all together."""

    def __init__(self, most: int, most_in_all: int) -> None:
        self.most = most
        self.most_in_all = most_in_all
        self._under_way: Counter[str] = Counter()

    def enters(self, company: str) -> bool:
        """Counts one more, unless there are too many; whoever entered leaves."""
        if self._under_way[company] >= self.most or self._under_way.total() >= self.most_in_all:
            return False
        self._under_way[company] += 1
        return True

    def leaves(self, company: str) -> None:
        self._under_way[company] -= 1
        self._under_way += Counter()  # companies without any are forgotten
