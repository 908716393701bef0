#!/bin/sh
# What is known against the images, their base included, by Trivy: deploy/scan-images.sh [--sbom FOLDER] [IMAGE…]
# Without images: those of docker-compose.yml with the tag RELANCE_VERSION (latest). The exit code is 1 when anything
# high or critical is known that has a fixed version and is not accepted, 2 when it could not be found out.
# TRIVY_… variables go to Trivy as they are (TRIVY_OFFLINE_SCAN, TRIVY_DB_REPOSITORY for a mirror inside).
set -eu

here=$(CDPATH='' cd -P "$(dirname "$0")" && pwd)
fail() { printf 'scan-images: %s\n' "$*" >&2; exit 2; }

parts=
if [ "${1:-}" = --sbom ]; then
    [ $# -ge 2 ] || fail "--sbom needs a folder"
    parts=$2
    shift 2
fi
command -v trivy >/dev/null 2>&1 ||
    fail "trivy is not installed, so nothing is known of the images: https://trivy.dev, or the image aquasec/trivy"
if [ $# -eq 0 ]; then
    for name in sync ledger dunning notify reporting console tools; do
        set -- "$@" "relance-$name:${RELANCE_VERSION:-latest}"
    done
fi
if [ -n "$parts" ]; then mkdir -p "$parts"; fi

known=
for image in "$@"; do
    printf 'scan-images: %s\n' "$image" >&2
    if [ -n "$parts" ]; then
        file=$parts/$(printf '%s' "$image" | tr '/:@' '---').cdx.json
        trivy image --quiet --format cyclonedx --output "$file" "$image" ||
            fail "trivy could not tell what $image is made of"
    fi
    code=0
    trivy image --quiet --scanners vuln --severity HIGH,CRITICAL --ignore-unfixed --exit-code 10 \
        --ignorefile "$here/accepted-vulnerabilities.yaml" "$image" || code=$?
    case $code in
        0) ;;
        10) known="$known $image" ;;
        *) fail "trivy could not scan $image (exit code $code): the image, or its database, is not to be had" ;;
    esac
done
[ -z "$known" ] || { printf 'scan-images: known against:%s\n' "$known" >&2; exit 1; }
