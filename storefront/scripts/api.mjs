// Writes the types of the API's schema, where a file is a Blob. With --check it only looks whether
// they are the schema's.

import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import ts from "typescript";

const SCHEMA = new URL("../src/api/schema.json", import.meta.url);
const TYPES = new URL("../src/api/schema.d.ts", import.meta.url);
const BLOB = ts.factory.createTypeReferenceNode("Blob");

const written = await openapiTS(SCHEMA, {
  // What has a default may be left out of a request.
  defaultNonNullable: false,
  transform: (schema) => (schema.format === "binary" ? BLOB : undefined),
});
const types = COMMENT_HEADER + astToString(written);

if (!process.argv.includes("--check")) {
  writeFileSync(TYPES, types);
} else if (readFileSync(TYPES, "utf-8") !== types) {
  process.exitCode = 1;
}
