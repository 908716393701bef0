"""Problems in words: those of the connectors, and those of an import itself."""

from services.sync.connectors import Wording
from services.sync.connectors.fec.wording import wording as fec_wording
from services.sync.connectors.mapped.wording import wording as mapped_wording
from services.sync.connectors.sage100.wording import wording as sage100_wording
from services.sync.connectors.words import Words

OWN: dict[str, Words] = {
    "upload_lost": Words(
        "The uploaded file is not there any more.",
        "Import the file again.",
        "Le fichier envoyé n’est plus disponible.",
        "Importez de nouveau le fichier.",
    ),
    "inbox_unset": Words(
        "This installation gives no folder to files that are fetched.",
        "Whoever runs it must set RELANCE_INBOX_DIR.",
        "Cette installation ne donne aucun dossier aux fichiers à reprendre.",
        "La personne qui l’exploite doit renseigner RELANCE_INBOX_DIR.",
    ),
    "folder_missing": Words(
        "There is no folder {folder} in the company's inbox.",
        "Make it, or correct the inlet.",
        "Il n’y a pas de dossier {folder} dans la boîte de dépôt de la société.",
        "Créez-le, ou corrigez la source.",
    ),
    "inbox_unreadable": Words(
        "The folder {folder} of the company's inbox cannot be read ({error}).",
        "Correct its rights.",
        "Le dossier {folder} de la boîte de dépôt de la société ne peut pas être lu ({error}).",
        "Corrigez ses droits.",
    ),
    "file_unreadable": Words(
        "The file {file} cannot be read ({error}); the others were fetched.",
        "Correct its rights, or take it away; the next slot tries again.",
        "Le fichier {file} ne peut pas être lu ({error}) ; les autres ont été repris.",
        "Corrigez ses droits, ou retirez-le ; le prochain créneau réessaiera.",
    ),
    "file_too_large": Words(
        "The file {file} is larger than {most} MB; it was not fetched.",
        "Split it, or have whoever runs the installation raise RELANCE_LARGEST_IMPORT_MB.",
        "Le fichier {file} dépasse {most} Mo ; il n’a pas été repris.",
        "Divisez-le, ou faites relever RELANCE_LARGEST_IMPORT_MB par la personne qui exploite l’installation.",
    ),
    "host_unreachable": Words(
        "{host} does not answer ({error}).",
        "Check the machine and the network; the next slot tries again.",
        "{host} ne répond pas ({error}).",
        "Vérifiez la machine et le réseau ; le prochain créneau réessaiera.",
    ),
    "host_inside": Words(
        "{host} is not on the public internet; nothing was fetched.",
        "Whoever runs the installation opens networks of the inside by RELANCE_INLET_NETWORKS of sync.",
        "{host} n’est pas sur l’internet public ; rien n’a été repris.",
        "La personne qui exploite l’installation ouvre des réseaux internes par RELANCE_INLET_NETWORKS de sync.",
    ),
    "host_key_differs": Words(
        "{host} shows another key than the one it is known by; nothing was fetched.",
        "Ask who runs it whether its key changed, and enter the new one only then.",
        "{host} présente une autre clé que celle connue ; rien n’a été repris.",
        "Demandez à la personne qui l’exploite si la clé a changé, et alors seulement saisissez la nouvelle.",
    ),
    "login_refused": Words(
        "{host} refuses the login of {user}.",
        "Correct the user, or the secret of the inlet.",
        "{host} refuse la connexion de {user}.",
        "Corrigez l’utilisateur, ou le secret de la source.",
    ),
    "folder_unreadable": Words(
        "The folder {folder} of {host} cannot be read ({error}).",
        "Correct the folder, or its rights.",
        "Le dossier {folder} de {host} ne peut pas être lu ({error}).",
        "Corrigez le dossier, ou ses droits.",
    ),
    "secret_missing": Words(
        "There is no secret {secret} for this company.",
        "Whoever runs the installation must put it into RELANCE_SECRETS_DIR.",
        "Il n’y a pas de secret {secret} pour cette société.",
        "La personne qui exploite l’installation doit le déposer dans RELANCE_SECRETS_DIR.",
    ),
    "secret_unreadable": Words(
        "The secret {secret} is a private key that cannot be read.",
        "Put an unencrypted OpenSSH key there.",
        "Le secret {secret} est une clé privée illisible.",
        "Déposez-y une clé OpenSSH non chiffrée.",
    ),
    "mapping_missing": Words(
        "There is no mapping {mapping} any more.",
        "Save it again, or choose another one for the inlet.",
        "Il n’y a plus de correspondance {mapping}.",
        "Enregistrez-la de nouveau, ou choisissez-en une autre pour la source.",
    ),
    "ledger_unreachable": Words(
        "The ledger service did not answer for fifteen minutes; nothing was imported.",
        "Start it, then import the file again.",
        "Le service ledger n’a pas répondu pendant quinze minutes ; rien n’a été importé.",
        "Démarrez-le, puis importez de nouveau le fichier.",
    ),
    "workers_lost": Words(
        "The import was given up: {times} times the process that carried it out ended before it was done. Nothing"
        " was imported.",
        "Most often there was too little memory for this file. Whoever runs the installation finds the reason in"
        " the log of sync; give it more memory or import the file in parts.",
        "L’import a été abandonné : {times} fois, le processus qui l’effectuait s’est arrêté avant la fin. Rien"
        " n’a été importé.",
        "Le plus souvent, la mémoire ne suffit pas à ce fichier. La personne qui exploite l’installation en trouve"
        " la raison dans le journal de sync ; donnez plus de mémoire, ou importez le fichier en plusieurs fois.",
    ),
    "import_failed": Words(
        "The import failed for a reason that is not in the file ({error}); nothing was imported.",
        "The failure was logged; tell whoever runs the installation.",
        "L’import a échoué pour une raison étrangère au fichier ({error}) ; rien n’a été importé.",
        "L’échec est journalisé ; prévenez la personne qui exploite l’installation.",
    ),
}
OF_CONNECTOR: dict[str, Wording] = {"fec": fec_wording, "mapped": mapped_wording, "sage100": sage100_wording}


def wording(connector: str, code: str, language: str, details: dict[str, str]) -> tuple[str, str]:
    """Message and remedy in ``fr`` or else in English."""
    if code in OWN:
        return OWN[code].told(language, details)
    return OF_CONNECTOR[connector](code, language, details)
