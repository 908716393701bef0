"""Free fields and sales people as they come from a source (rules 19.4, 22.6)."""

import json

from services.sync.domain.fields import LONGEST_VALUE, members, salesperson_code


def test_filled_fields_are_one_object_and_empty_ones_are_left_out():
    told = members([("tag1", "Grand Est"), ("tag2", ""), ("tag3", 'the "7"\n')])
    assert json.loads(told) == {"tag1": "Grand Est", "tag3": 'the "7"\n'}
    assert members([("tag1", "")]) == members([]) == "{}"


def test_a_value_is_cut_where_it_is_too_long():
    whole, longer = "é" * LONGEST_VALUE, "é" * (LONGEST_VALUE + 1)
    assert json.loads(members([("tag1", whole)])) == {"tag1": whole}
    assert json.loads(members([("tag1", longer)])) == {"tag1": whole}


def test_however_a_name_is_written_it_is_one_code_that_does_not_show_it():
    code = salesperson_code("Hélène Caron")
    for written in ("HELENE  CARON", " hélène caron ", "Hélène Caron.", "He\u0301le\u0300ne\u00a0Caron"):
        assert salesperson_code(written) == code, written
    assert code != salesperson_code("Helene Carron")
    assert code != salesperson_code("HeleneCaron")
    assert code.startswith("n-")
    assert len(code) == 14
    assert "caron" not in code


def test_a_name_without_letters_is_nobody():
    assert salesperson_code("") == salesperson_code(" - ") == ""
