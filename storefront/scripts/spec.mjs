// Validates the API's schema against the OpenAPI specification, with the rules and library of `redocly
// lint --extends=spec`, and each of its examples against its schema.

import { fileURLToPath } from "node:url";
import { createConfig, formatProblems, getTotals, lint } from "@redocly/openapi-core";

const [file = fileURLToPath(new URL("../src/api/schema.json", import.meta.url))] =
  process.argv.slice(2);
const config = await createConfig({
  extends: ["spec"],
  rules: { "no-invalid-media-type-examples": "error", "operation-summary": "error" },
});
const problems = await lint({ ref: file, config });
const totals = getTotals(problems);
formatProblems(problems, { format: "stylish", totals, version: "", maxProblems: 100 });
process.exitCode = totals.errors + totals.warnings ? 1 : 0;
