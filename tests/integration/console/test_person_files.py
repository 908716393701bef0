"""Client, Données personnelles: everything that is kept of a person, as one ZIP (rule 19.9)."""

import io
import json
import zipfile

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

FILES = f"/c/{COMPANY}/personal/files?client_id=411MUNOZSA"


async def test_the_words_and_the_files_of_every_service_are_one_zip(clerk: Person) -> None:
    answer = await clerk.get(FILES)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as whole:
        assert whole.testzip() is None
        assert whole.namelist() == ["person.json", "ledger/one.pdf", "notify/one.pdf"]
        assert set(json.loads(whole.read("person.json"))) == {"ledger", "notify"}


async def test_there_is_no_half_file(clerk: Person, fakes: FakeServices) -> None:
    fakes.refuse["/person-files"] = {"type": "not-found", "status": 404}
    assert (await clerk.get(FILES)).headers["content-type"] != "application/zip"


async def test_only_administrators_take_it(reader: Person) -> None:
    assert (await reader.get(FILES)).status_code == 403
