// Holds the API's schema against the OpenAPI specification, as `redocly lint --extends=spec` does, by
// the same rules and their library; and every example in it against what it is an example of.

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
