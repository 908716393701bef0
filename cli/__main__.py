"""``python -m cli``, which the script ``relance`` runs."""

import cli.app_act
import cli.app_archive
import cli.app_audit
import cli.app_cluster
import cli.app_collection
import cli.app_company
import cli.app_connectors
import cli.app_disaster
import cli.app_documents
import cli.app_explain
import cli.app_files
import cli.app_install
import cli.app_interest
import cli.app_letters
import cli.app_levels
import cli.app_observing
import cli.app_person
import cli.app_rebuild
import cli.app_retention
import cli.app_scenario
import cli.app_simulate
import cli.app_subscriber
import cli.app_template
import cli.app_work  # noqa: F401 - all add their commands to the application
from cli.app import run

if __name__ == "__main__":
    run()
