from collections.abc import AsyncIterator

import pytest

from chassis.embedded import Stack
from tests.integration.dunning.house import House


@pytest.fixture
async def house(stack: Stack, company: str) -> AsyncIterator[House]:
    """Dunning, and a company it has just heard of."""
    made = await House.on(stack, company).registered()
    yield made
    await made.process.stop()
