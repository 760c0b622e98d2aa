// Generates src/api/schema.d.ts from schema.json, with files as Blob. With --check it only compares.

import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import ts from "typescript";

const SCHEMA = new URL("../src/api/schema.json", import.meta.url);
const TYPES = new URL("../src/api/schema.d.ts", import.meta.url);
const BLOB = ts.factory.createTypeReferenceNode("Blob");

const written = await openapiTS(SCHEMA, {
  // Members with a default may be omitted from a request.
  defaultNonNullable: false,
  transform: (schema) => (schema.format === "binary" ? BLOB : undefined),
});
const types = COMMENT_HEADER + astToString(written);

if (!process.argv.includes("--check")) {
  writeFileSync(TYPES, types);
} else if (readFileSync(TYPES, "utf-8") !== types) {
  process.exitCode = 1;
}
