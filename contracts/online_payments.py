"""Which entries an online payment holds back from reminders (rule 8.6), as rows of ``online_payment``.

Dunning excludes by them, notify looks at them last: both keep the table alike, by these statements. ``{heard}``
stands for events of notify, one row each, the latest number of a client last.
"""

PAID_ONLINE = """
    insert into online_payment (company, client_id, entry_id, payment_id, p, paid_on)
    select distinct heard.company, e.client_id, line.entry_id, e.payment_id, heard.p, heard.as_of
    from {heard}, json_to_record(heard.body::json) as e(client_id text, payment_id uuid, entries json),
        json_to_recordset(e.entries) as line(entry_id text)
    on conflict do nothing
"""

PAYMENT_RETURNED = """
    with told as (
        select distinct on (heard.company, e.payment_id) heard.company, heard.p, heard.as_of, e.*
        from {heard}, json_to_record(heard.body::json) as e(client_id text, payment_id uuid, freed json, held json)
        order by heard.company, e.payment_id, heard.number desc
    ), gone as (
        delete from online_payment known using told, json_array_elements_text(told.freed) as line(entry_id)
        where known.company = told.company and known.client_id = told.client_id
            and known.payment_id = told.payment_id and known.entry_id = line.entry_id
    )
    insert into online_payment (company, client_id, entry_id, payment_id, p, paid_on)
    select told.company, told.client_id, line.entry_id, told.payment_id, told.p, told.as_of
    from told, json_array_elements_text(told.held) as line(entry_id)
    on conflict do nothing
"""
