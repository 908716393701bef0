"""Every problem of a mapped file in words: what is wrong, and what to do about it, in English and in French."""

from services.sync.connectors.words import Words

WORDS: dict[str, Words] = {
    "file_empty": Words(
        "The file is empty.", "Export it again.", "Le fichier est vide.", "Exportez-le de nouveau.",
    ),
    "not_a_table": Words(
        "This is no table: its content is {kind}, not text or a workbook.",
        "Save the file as CSV or XLSX.",
        "Ce n’est pas un tableau : son contenu est {kind}, ni du texte ni un classeur.",
        "Enregistrez le fichier en CSV ou en XLSX.",
    ),
    "workbook_unreadable": Words(
        "The workbook cannot be read ({error}).",
        "Open it, save it again as XLSX without a password, and import that file.",
        "Le classeur ne peut pas être lu ({error}).",
        "Ouvrez-le, enregistrez-le de nouveau en XLSX sans mot de passe, puis importez ce fichier.",
    ),
    "sheet_missing": Words(
        "The workbook has no sheet “{sheet}”; its sheets are {sheets}.",
        "Rename the sheet, or choose another one in the mapping.",
        "Le classeur n’a pas de feuille « {sheet} » ; ses feuilles sont {sheets}.",
        "Renommez la feuille, ou choisissez-en une autre dans la correspondance.",
    ),
    "header_missing": Words(
        "There is no line {row}, where the names of the columns should stand.",
        "Correct the line of the header in the mapping.",
        "Il n’y a pas de ligne {row}, où devraient figurer les noms des colonnes.",
        "Corrigez la ligne d’en-tête dans la correspondance.",
    ),
    "column_missing": Words(
        "The file has no column “{column}”; it has {columns}.",
        "Export the column again under its name, or choose another one in the mapping.",
        "Le fichier n’a pas de colonne « {column} » ; il a {columns}.",
        "Exportez de nouveau la colonne sous son nom, ou choisissez-en une autre dans la correspondance.",
    ),
    "column_twice": Words(
        "The column “{column}” stands twice in the file.",
        "Give the two columns different names.",
        "La colonne « {column} » figure deux fois dans le fichier.",
        "Donnez des noms différents aux deux colonnes.",
    ),
    "no_rows": Words(
        "The file has a header and no row.",
        "Export it again, with its content.",
        "Le fichier a un en-tête et aucune ligne.",
        "Exportez-le de nouveau, avec son contenu.",
    ),
    "row_unreadable": Words(
        "From this line on the file cannot be told apart into rows: a quotation mark opens a cell and does not "
        "close it ({error}).",
        "Close or double the quotation mark, or export the file again.",
        "À partir de cette ligne, le fichier ne se découpe plus : un guillemet ouvre une cellule sans la fermer "
        "({error}).",
        "Fermez ou doublez le guillemet, ou exportez de nouveau le fichier.",
    ),
    "cells_too_many": Words(
        "The line has {found} cells, the header {expected}: its columns are shifted.",
        "Put cells that hold the separator into quotation marks.",
        "La ligne a {found} cellules, l’en-tête {expected} : ses colonnes sont décalées.",
        "Mettez entre guillemets les cellules qui contiennent le séparateur.",
    ),
    "cells_missing": Words(
        "The line has {found} cells, the header {expected}: it was cut off, or its columns are shifted.",
        "Export the file again; close or double quotation marks that open a cell.",
        "La ligne a {found} cellules, l’en-tête {expected} : elle est tronquée, ou ses colonnes sont décalées.",
        "Exportez de nouveau le fichier ; fermez ou doublez les guillemets qui ouvrent une cellule.",
    ),
    "settled_later": Words(
        "“{column}” holds {value}, a day to come: the entry stays open.",
        "Import the line again from that day on: this mapping keeps what a file does not show.",
        "« {column} » contient le {value}, un jour à venir : l’écriture reste ouverte.",
        "Importez de nouveau la ligne à partir de ce jour : cette correspondance garde ce qu’un fichier ne montre "
        "pas.",
    ),
    "workbook_too_large": Words(
        "The workbook unpacks to more than {most} MB.",
        "Save its sheet as CSV, and import that file.",
        "Le classeur décompressé dépasse {most} Mo.",
        "Enregistrez sa feuille en CSV, puis importez ce fichier.",
    ),
    "character_undecodable": Words(
        "A character of this line is not {encoding}, the encoding of the rest of the file.",
        "Correct the character, or save the whole file as UTF-8.",
        "Un caractère de cette ligne n’est pas en {encoding}, l’encodage du reste du fichier.",
        "Corrigez le caractère, ou enregistrez tout le fichier en UTF-8.",
    ),
    "field_empty": Words(
        "“{column}” is empty.",
        "Fill it in: a line without it cannot be told from others.",
        "« {column} » est vide.",
        "Renseignez-la : sans elle, la ligne ne se distingue pas des autres.",
    ),
    "no_date": Words(
        "The line has no date.",
        "Fill in its invoice date, entry date or due date.",
        "La ligne n’a aucune date.",
        "Renseignez sa date de facture, d’écriture ou d’échéance.",
    ),
    "client_too_long": Words(
        "The client code is longer than {most} characters.",
        "Check that “{column}” is the client's code.",
        "Le code client dépasse {most} caractères.",
        "Vérifiez que « {column} » est bien le code du client.",
    ),
    "client_twice": Words(
        "This client stands in the file twice.",
        "Keep one line for each client.",
        "Ce client figure deux fois dans le fichier.",
        "Gardez une seule ligne par client.",
    ),
    "key_twice": Words(
        "This line has the same key as line {first}: one of them would take the other's place.",
        "Choose a column as key that is different on every line, or none.",
        "Cette ligne a la même clé que la ligne {first} : l’une prendrait la place de l’autre.",
        "Choisissez comme clé une colonne différente sur chaque ligne, ou aucune.",
    ),
    "date_invalid": Words(
        "“{column}” holds “{value}”, which is no date of the form {form}.",
        "Correct the date, or the form of dates in the mapping.",
        "« {column} » contient « {value} », qui n’est pas une date de la forme {form}.",
        "Corrigez la date, ou la forme des dates dans la correspondance.",
    ),
    "amount_invalid": Words(
        "“{column}” holds “{value}”, which is no amount with “{mark}” before at most four decimals.",
        "Correct the amount, or the marks of amounts in the mapping.",
        "« {column} » contient « {value} », qui n’est pas un montant avec « {mark} » et quatre décimales au plus.",
        "Corrigez le montant, ou les signes des montants dans la correspondance.",
    ),
    "debit_and_credit": Words(
        "The line has a debit ({debit}) and a credit ({credit}).",
        "Split it into two lines, one for each side.",
        "La ligne a un débit ({debit}) et un crédit ({credit}).",
        "Séparez-la en deux lignes, une par sens.",
    ),
    "side_unknown": Words(
        "“{column}” holds “{value}”, which means neither debit nor credit.",
        "Say in the mapping what the word means, under sides.",
        "« {column} » contient « {value} », qui ne veut dire ni débit ni crédit.",
        "Dites dans la correspondance ce que veut dire ce mot (sens).",
    ),
    "kind_unknown": Words(
        "“{column}” holds “{value}”, which is no known kind of entry.",
        "Say in the mapping whether the word means an invoice, a credit note or a payment, under kinds.",
        "« {column} » contient « {value} », qui n’est pas un type de pièce connu.",
        "Dites dans la correspondance si ce mot veut dire facture, avoir ou règlement (types).",
    ),
    "status_unknown": Words(
        "“{column}” holds “{value}”, which means neither open nor closed.",
        "Say in the mapping what the word means, under open_words or closed_words.",
        "« {column} » contient « {value} », qui ne veut dire ni ouvert ni soldé.",
        "Dites dans la correspondance ce que veut dire ce mot (ouvert, soldé).",
    ),
    "currency_unknown": Words(
        "“{column}” holds “{value}”, which is no currency code.",
        "Use the three letters of ISO 4217 (EUR, USD…).",
        "« {column} » contient « {value} », qui n’est pas un code de devise.",
        "Utilisez les trois lettres d’ISO 4217 (EUR, USD…).",
    ),
    "book_amount_missing": Words(
        "The file has lines in {currency} without their amount in {bookkeeping}, the bookkeeping currency.",
        "Map the column of the bookkeeping amount, or give a rate for {currency} in the mapping.",
        "Le fichier a des lignes en {currency} sans leur montant en {bookkeeping}, la devise de tenue.",
        "Associez la colonne du montant en devise de tenue, ou donnez un cours de {currency} dans la "
        "correspondance.",
    ),
    "language_unknown": Words(
        "“{column}” holds “{value}”, which is no language.",
        "Use two letters (fr, en…).",
        "« {column} » contient « {value} », qui n’est pas une langue.",
        "Utilisez deux lettres (fr, en…).",
    ),
    "email_invalid": Words(
        "“{column}” holds something that is no e-mail address; it is left out.",
        "Correct the address where it is kept.",
        "« {column} » contient autre chose qu’une adresse e-mail ; elle est laissée de côté.",
        "Corrigez l’adresse là où elle est tenue.",
    ),
    "no_customer_lines": Words(
        "No line of the file is an entry of a client, though some are known from the last import.",
        "Check the file, and the words that rows are kept by.",
        "Aucune ligne du fichier n’est une écriture de client, alors que le dernier import en connaît.",
        "Vérifiez le fichier, et les mots selon lesquels ses lignes sont gardées.",
    ),
}  # fmt: skip


def wording(code: str, language: str, details: dict[str, str]) -> tuple[str, str]:
    """Message and remedy in ``fr`` or else in English. A code without words is told by its name."""
    words = WORDS.get(code)
    return (code, "") if words is None else words.told(language, details)
