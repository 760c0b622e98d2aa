#!/bin/sh
# First start of compose.yaml's PostgreSQL: omache owns the tables, and the shop's processes connect as
# omache_app (docs/deploy.md, "A role of its own").
set -eu
psql -v ON_ERROR_STOP=1 -v owner="$OWNER_PASSWORD" -v app="$APP_PASSWORD" --username "${POSTGRES_USER:-postgres}" <<'SQL'
-- A backup is restored into a database of its own.
CREATE ROLE omache LOGIN PASSWORD :'owner' NOSUPERUSER CREATEDB NOCREATEROLE;
CREATE ROLE omache_app LOGIN PASSWORD :'app' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE DATABASE omache OWNER omache TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';
SQL
