"""Commands sent twice take effect once, when the sender names them with an ``Idempotency-Key`` header.

The answer is kept in the transaction of the command; a second request with the key gets it again, also while the
first is still under way. A refusal is not kept: it is decided anew.
"""

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from sqlalchemy import text

from chassis.http import CompanyDep, TxDep
from chassis.problems import Problem

Answer = dict[str, Any]

CLAIM = text(
    """
    insert into command (company, key, digest, answer) values (:company, :key, :digest, 'null')
    on conflict do nothing
    returning key
    """
)
KNOWN = text("select digest, answer from command where company = :company and key = :key")
KEEP = text("update command set answer = cast(:answer as jsonb) where company = :company and key = :key")


class Once:
    """Carries out an action, or answers what it answered before."""

    def __init__(
        self,
        request: Request,
        company: CompanyDep,
        tx: TxDep,
        key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)] = None,
    ) -> None:
        self._request, self._company, self._tx, self._key = request, company, tx, key

    async def __call__(self, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """Answers 409 when the key named another request before."""
        if self._key is None:
            return await act()
        digest = sha256(self._request.url.path.encode() + b"\0" + await self._request.body()).hexdigest()
        named = {"company": self._company, "key": self._key}
        if (await self._tx.execute(CLAIM, named | {"digest": digest})).one_or_none() is None:
            known = (await self._tx.execute(KNOWN, named)).one()
            if known.digest != digest:
                raise Problem("idempotency-key-reused", "This key named another request before", 409)
            answer: Answer = known.answer
            return answer
        answer = await act()
        await self._tx.execute(KEEP, named | {"answer": json.dumps(answer)})
        return answer


OnceDep = Annotated[Once, Depends(Once)]
