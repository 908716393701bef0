"""Problems in words: those of the connectors, and those of an import itself."""

from services.sync.connectors import Wording
from services.sync.connectors.fec.wording import wording as fec_wording
from services.sync.connectors.mapped.wording import wording as mapped_wording
from services.sync.connectors.sage100.wording import wording as sage100_wording

OWN: dict[str, tuple[str, str, str, str]] = {
    "upload_lost": (
        "The uploaded file is not there any more.",
        "Import the file again.",
        "Le fichier envoyé n’est plus disponible.",
        "Importez de nouveau le fichier.",
    ),
    "ledger_unreachable": (
        "The ledger service did not answer for fifteen minutes; nothing was imported.",
        "Start it, then import the file again.",
        "Le service ledger n’a pas répondu pendant quinze minutes ; rien n’a été importé.",
        "Démarrez-le, puis importez de nouveau le fichier.",
    ),
    "import_failed": (
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
        message, remedy = OWN[code][2:] if language == "fr" else OWN[code][:2]
        return message.format_map(details), remedy
    return OF_CONNECTOR[connector](code, language, details)
