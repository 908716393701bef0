"""Every problem of a FEC in words: what is wrong, and what to do about it, in English and in French."""

from services.sync.connectors.words import Words

_EXPORT = "Export the file again from the accounting software."
_EXPORT_FR = "Exportez de nouveau le fichier depuis le logiciel comptable."

HABIT = "The same on {habit} lines of the file: told once, and no reason to refuse it."
HABIT_FR = "Il en va de même sur {habit} lignes du fichier : signalé une fois, sans refus."

WORDS: dict[str, Words] = {
    "file_empty": Words(
        "The file is empty.", _EXPORT, "Le fichier est vide.", _EXPORT_FR,
    ),
    "not_a_fec": Words(
        "This is no FEC: its content is {kind}, not text.",
        "Export the FEC (fichier des écritures comptables) as a text file and import that one.",
        "Ce n’est pas un FEC : son contenu est {kind}, pas du texte.",
        "Exportez le FEC (fichier des écritures comptables) au format texte et importez ce fichier-là.",
    ),
    "separator_wrong": Words(
        "The header is separated by {found}; a FEC is separated by TAB or |.",
        "Choose TAB or | as separator when exporting.",
        "L’en-tête est séparé par {found} ; un FEC est séparé par TAB ou |.",
        "Choisissez TAB ou | comme séparateur à l’export.",
    ),
    "header_missing": Words(
        "The first line names no column of a FEC (it begins with “{found}”).",
        "The first line must name the columns: JournalCode, JournalLib, EcritureNum… Export with the header.",
        "La première ligne ne nomme aucune colonne d’un FEC (elle commence par « {found} »).",
        "La première ligne doit nommer les colonnes : JournalCode, JournalLib… Exportez avec l’en-tête.",
    ),
    "header_short": Words(
        "The header names {named} columns but line {line} holds {held} fields: {column} is missing in the header.",
        "Add {column} at its legal place in the first line, or export the file again.",
        "L’en-tête nomme {named} colonnes mais la ligne {line} a {held} champs : {column} manque dans l’en-tête.",
        "Ajoutez {column} à sa place légale dans la première ligne, ou exportez de nouveau le fichier.",
    ),
    "column_missing": Words(
        "The column {column} is missing.",
        "Export with the 18 columns of article A47 A-1; {column} cannot be done without.",
        "La colonne {column} manque.",
        "Exportez les 18 colonnes de l’article A47 A-1 ; {column} est indispensable.",
    ),
    "optional_column_missing": Words(
        "The column {column} is missing; it is read as empty.",
        "Nothing to do for reminders; a FEC should hold all 18 legal columns.",
        "La colonne {column} manque ; elle est lue comme vide.",
        "Rien à faire pour les relances ; un FEC devrait contenir les 18 colonnes légales.",
    ),
    "field_column_missing": Words(
        "The column {column}, chosen for a free field, is missing: the field stays as it was.",
        "Export the column again, or choose another in the import settings.",
        "La colonne {column}, choisie pour un champ libre, manque : le champ reste tel quel.",
        "Exportez de nouveau cette colonne, ou choisissez-en une autre dans les réglages d’import.",
    ),
    "column_twice": Words(
        "The column {column} stands twice in the header.",
        "Keep one column {column}.",
        "La colonne {column} figure deux fois dans l’en-tête.",
        "Gardez une seule colonne {column}.",
    ),
    "columns_out_of_order": Words(
        "The column {column} stands after {after}; in a FEC it stands before it, so the two may be swapped.",
        "Put the columns in their legal order (article A47 A-1), names and content alike.",
        "La colonne {column} suit {after} ; dans un FEC elle la précède : les deux sont peut-être inversées.",
        "Mettez les colonnes dans l’ordre légal (article A47 A-1), les noms comme le contenu.",
    ),
    "separator_mixed": Words(
        "This line is separated by {found}, the header by {expected}.",
        "Use {expected} on every line.",
        "Cette ligne est séparée par {found}, l’en-tête par {expected}.",
        "Utilisez {expected} sur toutes les lignes.",
    ),
    "fields_missing": Words(
        "The line holds {found} fields where the header names {expected}: it is cut off before {column}.",
        "Complete the line, empty fields included, or export the file again.",
        "La ligne a {found} champs alors que l’en-tête en nomme {expected} : elle est coupée avant {column}.",
        "Complétez la ligne, champs vides compris, ou exportez de nouveau le fichier.",
    ),
    "fields_too_many": Words(
        "The line holds {found} fields where the header names {expected}: its columns are shifted, "
        "{column} is wrong.",
        "Remove the separator too many in this line; the line was set aside if it is not a customer's.",
        "La ligne a {found} champs alors que l’en-tête en nomme {expected} : ses colonnes sont décalées, "
        "{column} est faux.",
        "Retirez le séparateur en trop de cette ligne ; elle est mise de côté si elle n’est pas d’un client.",
    ),
    "file_cut": Words(
        "The last line is cut off: the end of the file is missing.",
        "Transfer or export the file again, whole.",
        "La dernière ligne est coupée : la fin du fichier manque.",
        "Transférez ou exportez de nouveau le fichier, en entier.",
    ),
    "no_lines": Words(
        "The file has a header and no line.", _EXPORT, "Le fichier a un en-tête et aucune ligne.", _EXPORT_FR,
    ),
    "line_ends_mixed": Words(
        "This line ends with {found}, the header with {expected}: parts of two files may have been joined.",
        "Save the file with one kind of line end.",
        "Cette ligne se termine par {found}, l’en-tête par {expected} : deux fichiers ont peut-être été réunis.",
        "Enregistrez le fichier avec une seule sorte de fin de ligne.",
    ),
    "control_character": Words(
        "The line holds the control character {byte} (hexadecimal), which no text has.",
        "Remove it, or export the file again.",
        "La ligne contient le caractère de contrôle {byte} (hexadécimal), absent de tout texte.",
        "Retirez-le, ou exportez de nouveau le fichier.",
    ),
    "character_undecodable": Words(
        "A character of this line is not {encoding}, the encoding of the rest of the file.",
        "Correct the character, or export the whole file in one encoding.",
        "Un caractère de cette ligne n’est pas en {encoding}, l’encodage du reste du fichier.",
        "Corrigez le caractère, ou exportez tout le fichier dans un seul encodage.",
    ),
    "field_empty": Words(
        "{column} is empty.",
        "Fill {column} in; the law requires it on every line.",
        "{column} est vide.",
        "Renseignez {column} ; la loi l’exige sur chaque ligne.",
    ),
    "date_invalid": Words(
        "{column} “{value}” is no date of the form {form}, which the rest of the file uses.",
        "Write an existing date as {form}.",
        "{column} « {value} » n’est pas une date de la forme {form}, celle du reste du fichier.",
        "Écrivez une date existante sous la forme {form}.",
    ),
    "amount_invalid": Words(
        "{column} “{value}” is no amount: digits, then “{mark}” and at most four decimals.",
        "Write the amount without blanks or thousands separator, with “{mark}” before the decimals.",
        "{column} « {value} » n’est pas un montant : des chiffres, puis « {mark} » et quatre décimales au plus.",
        "Écrivez le montant sans espace ni séparateur de milliers, avec « {mark} » avant les décimales.",
    ),
    "side_invalid": Words(
        "Sens “{value}” is neither D (debit) nor C (credit).",
        "Write D or C.",
        "Sens « {value} » n’est ni D (débit) ni C (crédit).",
        "Écrivez D ou C.",
    ),
    "debit_and_credit": Words(
        "The line has a debit ({debit}) and a credit ({credit}).",
        "Split it into two lines, one for each side.",
        "La ligne a un débit ({debit}) et un crédit ({credit}).",
        "Séparez-la en deux lignes, une par sens.",
    ),
    "sub_account_unnamed": Words(
        "CompAuxNum {client} has no CompAuxLib.",
        "Fill in the third party's name.",
        "CompAuxNum {client} n’a pas de CompAuxLib.",
        "Renseignez le nom du tiers.",
    ),
    "sub_account_misplaced": Words(
        "CompAuxNum {client} stands on account {account}, which is no third party's account.",
        "Move the posting to a third-party account (class 4), or empty CompAuxNum.",
        "CompAuxNum {client} figure sur le compte {account}, qui n’est pas un compte de tiers.",
        "Passez l’écriture sur un compte de tiers (classe 4), ou videz CompAuxNum.",
    ),
    "entry_unbalanced": Words(
        "Entry {number} of journal {journal} on {date} does not balance: debits minus credits make {difference}.",
        "Correct or complete the entry in the accounting software.",
        "L’écriture {number} du journal {journal} du {date} n’est pas équilibrée : débits moins crédits font "
        "{difference}.",
        "Corrigez ou complétez l’écriture dans le logiciel comptable.",
    ),
    "validated_before_entry": Words(
        "ValidDate {date} is before EcritureDate {entry}: an entry cannot be validated before it is made.",
        "Correct one of the two dates.",
        "ValidDate {date} précède EcritureDate {entry} : une écriture ne peut être validée avant d’être passée.",
        "Corrigez l’une des deux dates.",
    ),
    "chronology_broken": Words(
        "Journal {journal}: entry {number} is dated {date}, after one dated {before}: numbers go forward, dates "
        "go back.",
        "Number the entries in the order of their dates, or export the journal again.",
        "Journal {journal} : l’écriture {number} est datée du {date}, après une autre du {before} : les "
        "numéros avancent et les dates reculent.",
        "Numérotez les écritures dans l’ordre de leurs dates, ou exportez de nouveau le journal.",
    ),
    "lines_unordered": Words(
        "The lines of journal {journal} are in no order, so its chronology cannot be checked.",
        "Nothing to do: the order of the lines changes nothing for reminders.",
        "Les lignes du journal {journal} ne sont pas dans l’ordre ; sa chronologie ne peut être vérifiée.",
        "Rien à faire : l’ordre des lignes ne change rien aux relances.",
    ),
    "client_too_long": Words(
        "The client code {client}… is longer than {most} characters.",
        "Shorten the code in the accounting software.",
        "Le code client {client}… dépasse {most} caractères.",
        "Raccourcissez le code dans le logiciel comptable.",
    ),
    "currency_unknown": Words(
        "Idevise “{value}” is no currency code; the line is taken in the bookkeeping currency.",
        "Use the three letters of ISO 4217 (EUR, USD…).",
        "Idevise « {value} » n’est pas un code de devise ; la ligne est prise dans la devise de tenue.",
        "Utilisez les trois lettres d’ISO 4217 (EUR, USD…).",
    ),
    "opening_without_clients": Words(
        "The opening balance of account {account} ({amount}) names no client; the entries still open in the year "
        "before it make {entries}.",
        "The clients' entries of last year live on; import last year's file again once it is closed, or have the "
        "balances brought forward client by client.",
        "L’à-nouveau du compte {account} ({amount}) ne nomme aucun client ; les écritures encore ouvertes de "
        "l’exercice précédent font {entries}.",
        "Les écritures de l’exercice précédent restent en vie ; importez de nouveau son fichier une fois clos, ou "
        "faites reporter les soldes client par client.",
    ),
    "year_before_missing": Words(
        "The file brings balances forward from {day}, and {number} entries from before that day are open in "
        "{books}, which is not known to have closed then: they would be owed twice.",
        "Import first the file of the year that closed on {day}, under its legal name (SIREN, FEC, closing date); "
        "if it is here already, import it once more under that name.",
        "Le fichier reporte des soldes du {day}, et {number} écritures antérieures sont ouvertes dans {books}, "
        "dont la clôture à cette date n’est pas connue : elles seraient dues deux fois.",
        "Importez d’abord le fichier de l’exercice clos le {day}, sous son nom légal (SIREN, FEC, date de "
        "clôture) ; s’il est déjà là, importez-le de nouveau sous ce nom.",
    ),
    "opening_incomplete": Words(
        "The opening lines leave out {number} of the {open} entries open at the end of last year ({amount}).",
        "Import last year's file again as it was closed, or this one once its opening is complete. If they are "
        "all settled indeed, accept “opening_incomplete” in the import settings.",
        "Les à-nouveaux omettent {number} des {open} écritures ouvertes à la fin de l’exercice précédent "
        "({amount}).",
        "Importez de nouveau le fichier de l’exercice précédent une fois clos, ou celui-ci quand ses à-nouveaux "
        "seront complets. Si elles sont bien toutes soldées, acceptez « opening_incomplete » dans les réglages "
        "d’import.",
    ),
    "entries_released": Words(
        "{number} entries open at the end of last year ({amount}) are in no opening line: they count as settled.",
        "If they are owed still, complete the opening lines and import the file again: they come back as they "
        "were.",
        "{number} écritures ouvertes à la fin de l’exercice précédent ({amount}) ne figurent dans aucun "
        "à-nouveau : elles sont tenues pour soldées.",
        "Si elles restent dues, complétez les à-nouveaux et importez de nouveau le fichier : elles reviendront "
        "telles quelles.",
    ),
    "no_customer_lines": Words(
        "No line is on a customer account ({accounts}).",
        "Check which accounts are customers' in the import settings.",
        "Aucune ligne n’est sur un compte client ({accounts}).",
        "Vérifiez les comptes clients dans les réglages d’import.",
    ),
}  # fmt: skip


def wording(code: str, language: str, details: dict[str, str]) -> tuple[str, str]:
    """Message and remedy in ``fr`` or else in English. A code without words is told by its name."""
    words = WORDS.get(code)
    if words is None:
        return code, ""
    message, remedy = words.told(language, details)
    if "habit" in details:
        once = HABIT_FR if language == "fr" else HABIT
        message = f"{message} {once.format_map(details)}"
    return message, remedy
