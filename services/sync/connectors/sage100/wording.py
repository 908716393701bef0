"""What keeps a Sage base from being read, or is worth knowing of it, in English and in French."""

from services.sync.connectors.words import Words

_AGAIN = "Nothing was applied; synchronise again once it is mended."
_AGAIN_FR = "Rien n’a été appliqué ; relancez la synchronisation une fois le problème corrigé."
_TELL = "Nothing was applied. Synchronise again; if it happens again, tell whoever runs the installation."
_TELL_FR = (
    "Rien n’a été appliqué. Relancez la synchronisation ; si cela se reproduit, prévenez la personne qui exploite"
    " l’installation."
)

WORDS: dict[str, Words] = {
    "connector_silent": Words(
        "Synchronisation impossible. No activity of the connector has been noticed since {since}. Make sure that"
        " the connector is running.",
        "Restart it on the machine where it is installed (relance connector), then synchronise again.",
        "Synchronisation impossible. Aucune activité du connecteur détectée depuis le {since}. Veuillez vous"
        " assurer que le connecteur soit actif.",
        "Redémarrez-le sur la machine où il est installé (relance connector), puis relancez la synchronisation.",
    ),
    "address_missing": Words(
        "No address is configured for the base of {connector}.",
        "Put it under that name into RELANCE_SOURCE_ADDRESSES (or its _FILE) and start sync again.",
        "Aucune adresse n’est configurée pour la base de {connector}.",
        "Ajoutez-la sous ce nom dans RELANCE_SOURCE_ADDRESSES (ou son _FILE) et redémarrez sync.",
    ),
    "address_unreadable": Words(
        "The address of the base cannot be read.",
        "It is written mssql+pymssql://login:password@server/BASE, special letters of the password as %XX.",
        "L’adresse de la base est illisible.",
        "Elle s’écrit mssql+pymssql://login:motdepasse@serveur/BASE, les caractères spéciaux en %XX.",
    ),
    "driver_missing": Words(
        "The database driver {driver} is not installed.",
        "Install the project with the extra sage100.",
        "Le pilote de base de données {driver} n’est pas installé.",
        "Installez le projet avec l’extra sage100.",
    ),
    "source_unreachable": Words(
        "The base cannot be reached ({error}: {said}).",
        "Check the server's name, the login, its password and the firewall, then synchronise again.",
        "La base est injoignable ({error} : {said}).",
        "Vérifiez le nom du serveur, le compte, son mot de passe, le pare-feu, puis relancez la synchronisation.",
    ),
    "source_lost": Words(
        "The base stopped answering while it was read ({error}: {said}).", _AGAIN,
        "La base a cessé de répondre pendant la lecture ({error} : {said}).", _AGAIN_FR,
    ),
    "source_slow": Words(
        "The base answered nothing for {seconds} s after {lines} rows.",
        "Nothing was applied. Synchronise at a quieter hour, or raise RELANCE_SOURCE_PATIENCE_SECONDS.",
        "La base n’a rien répondu pendant {seconds} s après {lines} lignes.",
        "Rien n’a été appliqué. Synchronisez à une heure plus calme ou augmentez RELANCE_SOURCE_PATIENCE_SECONDS.",
    ),
    "table_missing": Words(
        "The base has no table {table}, or the login may not see it.",
        "Grant the login the rights that the guide lists, and check that the base is one of Sage 100 accounting.",
        "La base n’a pas de table {table}, ou le compte n’a pas le droit de la voir.",
        "Donnez au compte les droits indiqués dans le guide, et vérifiez qu’il s’agit d’une base Sage 100.",
    ),
    "column_missing": Words(
        "The table {table} has no column {column}.",
        "Choose another column in the connector's options, or tell which version of Sage this is.",
        "La table {table} n’a pas de colonne {column}.",
        "Choisissez une autre colonne dans les options du connecteur, ou indiquez la version de Sage.",
    ),
    "exercises_missing": Words(
        "The base names no fiscal year ({table}.{column}).", _TELL,
        "La base n’indique aucun exercice ({table}.{column}).", _TELL_FR,
    ),
    "currency_unknown": Words(
        "Currency number {number} of the base has no ISO code: its entries count in the bookkeeping currency.",
        "Fill in the ISO code of the currency in Sage; the next synchronisation reads everything anew.",
        "La devise numéro {number} de la base n’a pas de code ISO : ses écritures comptent en devise de tenue.",
        "Renseignez le code ISO de la devise dans Sage ; la prochaine synchronisation relit tout.",
    ),
    "key_twice": Words(
        "The base showed entry {key} twice, and differently (lines {first} and {line} of the delivery).", _TELL,
        "La base a montré deux fois l’écriture {key}, de façon différente (lignes {first} et {line}).", _TELL_FR,
    ),
    "client_twice": Words(
        "The base showed client {key} twice, and differently (lines {first} and {line} of the delivery).", _TELL,
        "La base a montré deux fois le client {key}, de façon différente (lignes {first} et {line}).", _TELL_FR,
    ),
    "record_invalid": Words(
        "Line {line} of the delivery cannot be: {column} ({fault}).", _TELL,
        "La ligne {line} de la livraison est impossible : {column} ({fault}).", _TELL_FR,
    ),
    "delivery_cut": Words(
        "The delivery ends without its end, after {line} lines.", _AGAIN,
        "La livraison s’arrête avant sa fin, après {line} lignes.", _AGAIN_FR,
    ),
    "delivery_incomplete": Words(
        "The delivery is not what it says it is: {told} told, {read} read.", _TELL,
        "La livraison n’est pas ce qu’elle annonce : {told} annoncé, {read} lu.", _TELL_FR,
    ),
    "delivery_stalled": Words(
        "Nothing came from the connector for {minutes} minutes.",
        "Nothing was applied. Restart the connector where it is installed, then synchronise again.",
        "Rien n’est arrivé du connecteur pendant {minutes} minutes.",
        "Rien n’a été appliqué. Redémarrez le connecteur là où il est installé, puis relancez la synchronisation.",
    ),
    "delivery_abandoned": Words(
        "The connector gave up ({error}).", _AGAIN,
        "Le connecteur a abandonné ({error}).", _AGAIN_FR,
    ),
    "keys_incomplete": Words(
        "The base counts {told} entries and showed {read}.", _TELL,
        "La base compte {told} écritures et en a montré {read}.", _TELL_FR,
    ),
    "clients_incomplete": Words(
        "The base counts {told} clients and showed {read}.", _TELL,
        "La base compte {told} clients et en a montré {read}.", _TELL_FR,
    ),
    "rows_lacking": Words(
        "Of {told} entries the base did not show {lacking}.", _TELL,
        "Sur {told} écritures la base n’en a pas montré {lacking}.", _TELL_FR,
    ),
    "source_empty": Words(
        "The base shows no entry of a client any more: surely another base, or other accounts.",
        "Nothing was applied. Check the address and the customer accounts in the import settings.",
        "La base ne montre plus aucune écriture de client : sans doute une autre base, ou d’autres comptes.",
        "Rien n’a été appliqué. Vérifiez l’adresse et les comptes clients dans les réglages d’import.",
    ),
    "totals_differ": Words(
        "The base contradicts itself: it counts {told_entries} entries for {told_balance}, its rows are {entries}"
        " for {balance}.",
        _TELL,
        "La base se contredit : elle compte {told_entries} écritures pour {told_balance}, ses lignes sont"
        " {entries} pour {balance}.",
        _TELL_FR,
    ),
    "another_look_needed": Words(
        "The base counts {told_entries} entries for {told_balance} and {told_clients} clients; {entries} for"
        " {balance} and {clients} are known.",
        "Nothing to do: another synchronisation follows by itself and looks more thoroughly.",
        "La base compte {told_entries} écritures pour {told_balance} et {told_clients} clients ; {entries} pour"
        " {balance} et {clients} sont connus.",
        "Rien à faire : une autre synchronisation suit d’elle-même et vérifie davantage.",
    ),
}  # fmt: skip


def wording(code: str, language: str, details: dict[str, str]) -> tuple[str, str]:
    """Message and remedy in ``fr`` or else in English."""
    words = WORDS.get(code, WORDS["delivery_abandoned"])
    return words.told(language, _Forgiving({"error": code, "said": "", **details}))


class _Forgiving(dict[str, str]):
    """An agent of another version may tell less."""

    def __missing__(self, name: str) -> str:
        return "?"
